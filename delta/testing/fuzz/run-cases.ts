import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** How a case ended. */
export type CaseResult = {
  readonly name: string
  readonly what?: string
  readonly outcomes?: readonly { readonly use: string; readonly outcome: string }[]
  /** An error without code, a crash or a hang; absent if all was well. */
  readonly failure?: string
}

/** Longest time that one case may take before it counts as a hang. */
const longestMs = 30_000

/** Runs cases (seeds or files) one after the other; a crash or a hang costs that case alone. */
export async function runCases(
  names: readonly string[],
  onResult: (result: CaseResult) => void,
): Promise<void> {
  let rest = names
  while (rest.length > 0) {
    const done = await runInOneProcess(rest, onResult)
    rest = rest.slice(done)
  }
}

/** @returns how many cases are behind us */
async function runInOneProcess(
  names: readonly string[],
  onResult: (result: CaseResult) => void,
): Promise<number> {
  const runner = join(import.meta.dirname, 'case-runner.ts')
  const child = spawn(process.execPath, [runner], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.stdin.on('error', () => child.kill())
  child.stdin.end(`${names.join('\n')}\n`)
  let running: string | undefined
  let done = 0
  let failure = 'the process died'
  const watch = () =>
    setTimeout(() => {
      failure = `no end after ${longestMs} ms`
      child.kill('SIGKILL')
    }, longestMs)
  let timer = watch()
  for await (const line of createInterface({ input: child.stdout })) {
    clearTimeout(timer)
    timer = watch()
    const [word, name = '', ...rest] = line.split(' ')
    if (word === 'begin') running = name
    if (word !== 'end') continue
    running = undefined
    done += 1
    onResult({ name, ...(JSON.parse(rest.join(' ')) as Omit<CaseResult, 'name'>) })
  }
  clearTimeout(timer)
  await exit
  if (running === undefined && done < names.length)
    throw new Error(`no case could start: ${failure}`)
  if (running === undefined) return done
  onResult({ name: running, failure })
  return done + 1
}
