import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const python = join(import.meta.dirname, '..', '..', 'referees', '.venv', 'bin', 'python')

/** Runs a script of this folder with the referees' Python; undefined without them. */
export function sparkScript<T>(name: string, args: readonly string[]): Promise<T> | undefined {
  if (!existsSync(python)) return undefined
  return new Promise((resolve, reject) => {
    execFile(
      python,
      [join(import.meta.dirname, name), ...args],
      { maxBuffer: 2 ** 26 },
      (error, output) => {
        const last = output.trimEnd().split('\n').at(-1) ?? ''
        if (error === null) resolve(JSON.parse(last) as T)
        else reject(error)
      },
    )
  })
}

/** Queries that Spark's parser refuses; undefined when there is no Spark here. */
export function sparkParses(
  folder: string,
  queries: readonly (readonly [name: string, text: string])[],
): Promise<{ readonly parsed: number; readonly refused: readonly string[] }> | undefined {
  const path = join(folder, 'queries.json')
  writeFileSync(path, JSON.stringify(queries))
  return sparkScript('spark_parses.py', [path])
}
