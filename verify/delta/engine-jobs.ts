import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { DeltaField, DeltaType } from '@isotherm/delta'

/** An engine by others that reads and writes Delta tables. */
export type Engine = 'chdb' | 'deltalake' | 'spark'

/** A query over table `t`, and the types in which its columns are to be spelled. */
export type EngineQuery = { readonly sql: string; readonly types: readonly DeltaType[] }

/** Something for an engine to do. Answers carry the job's `id`. */
export type EngineJob =
  | {
      readonly id: string
      readonly action: 'read'
      readonly path: string
      readonly version?: number
      readonly queries: readonly EngineQuery[]
      /** Also tell what only the newest version has (Spark's partition columns). */
      readonly detail?: boolean
    }
  | {
      readonly id: string
      readonly action: 'write'
      readonly path: string
      readonly settings?: Readonly<Record<string, string>>
      /** SQL for Spark and chdb; `CHECKPOINT` stands for one. */
      readonly statements?: readonly string[]
      /** Steps for deltalake. */
      readonly steps?: readonly Readonly<Record<string, unknown>>[]
    }
  | {
      readonly id: string
      readonly action: 'timed_append' | 'timed_append_ndjson'
      readonly path: string
      readonly file: string
      readonly rounds: number
    }

/** What an engine said to one job. */
export type EngineAnswer = {
  readonly id: string
  readonly error?: string
  readonly version?: number
  readonly schema?: { readonly fields: readonly DeltaField[] }
  readonly partitionColumns?: readonly string[]
  /** Per query: rows in canonical spelling, unsorted. */
  readonly answers?: readonly (readonly string[])[]
  /** The table's version after each step or statement. */
  readonly versions?: readonly number[]
  readonly seconds?: readonly number[]
}

const referees = join(import.meta.dirname, '..', '..', 'referees')
const python = join(referees, '.venv', 'bin', 'python')
const javaHome = join(referees, '.ivy', 'java-home')

const present: Readonly<Record<Engine, () => boolean>> = {
  chdb: () => existsSync(join(referees, 'node_modules', 'chdb', 'package.json')),
  deltalake: () => existsSync(python) && installed('deltalake') !== undefined,
  spark: () => existsSync(javaHome) && installed('pyspark') !== undefined,
}

/** Version of a Python package among the referees. */
function installed(name: string): string | undefined {
  const requirements = readFileSync(join(referees, 'requirements.txt'), 'utf8')
  const wanted = new RegExp(`^${name}==(.+)$`, 'm').exec(requirements)?.[1]
  const stamp = join(referees, '.venv', '.referees-lock')
  return existsSync(stamp) ? wanted : undefined
}

/** The engines of `wanted` that `npm run setup:referees` has not installed. */
export function missingEngines(wanted: readonly Engine[]): readonly Engine[] {
  return wanted.filter((engine) => !present[engine]())
}

function start(engine: Engine, jobFile: string, folder: string): ChildProcess {
  const chdbScript = join(import.meta.dirname, 'chdb-engine.ts')
  const [program, args] =
    engine === 'chdb'
      ? [process.execPath, [chdbScript, jobFile]]
      : [python, [join(referees, 'delta_engines.py'), engine, jobFile]]
  return spawn(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
}

/**
 * Runs jobs in one process of the engine, in order.
 * @param folder an ancestor of all tables, which chdb insists on
 * @param onAnswer called as answers come in
 * @returns versions of the programs at work
 */
export async function runEngine(
  engine: Engine,
  jobs: readonly EngineJob[],
  folder: string,
  onAnswer: (answer: EngineAnswer) => void,
): Promise<Readonly<Record<string, string>>> {
  const jobFile = join(folder, `${engine}-jobs.ndjson`)
  writeFileSync(jobFile, jobs.map((job) => `${JSON.stringify(job)}\n`).join(''))
  const child = start(engine, jobFile, folder)
  let complaints = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString('utf8')).slice(-4000)
  })
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', resolve)
  })
  let about: Readonly<Record<string, string>> = {}
  let count = 0
  for await (const line of linesOf(child.stdio[3] as Readable)) {
    const answer = JSON.parse(line) as EngineAnswer & { readonly about?: typeof about }
    if (answer.about !== undefined) {
      about = answer.about
      continue
    }
    count += 1
    onAnswer(answer)
  }
  const code = await exit
  if (code !== 0 || count !== jobs.length) {
    throw new Error(`${engine} ended with ${code} after ${count} of ${jobs.length}: ${complaints}`)
  }
  return about
}

/** Lines of a stream. `node:readline` would also break them at U+2028, which occurs inside texts. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let rest: Buffer[] = []
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      yield Buffer.concat([...rest, chunk.subarray(start, end)]).toString('utf8')
      rest = []
      start = end + 1
    }
    rest.push(chunk.subarray(start))
  }
}
