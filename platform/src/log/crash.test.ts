import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { recordsOf } from './ingest-fixture.ts'
import { openLog } from './log.ts'

/** Runs the writer for a while, kills it without warning, returns what it acknowledged. */
async function writeUntilKilled(
  directory: string,
  first: number,
  runMs: number,
): Promise<readonly number[]> {
  const writer = spawn(
    process.execPath,
    [join(import.meta.dirname, 'crash-writer.ts'), directory, String(first)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let output = ''
  const hasBegun = new Promise<void>((resolve) =>
    writer.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      resolve()
    }),
  )
  const exited = new Promise<NodeJS.Signals | null>((resolve) =>
    writer.on('exit', (_code, signal) => resolve(signal)),
  )
  const drained = new Promise<void>((resolve) => writer.stdout.on('close', () => resolve()))
  await hasBegun
  await new Promise((resolve) => setTimeout(resolve, runMs))
  writer.kill('SIGKILL')
  expect(await exited).toBe('SIGKILL')
  await drained
  // The last line may be cut: it was not acknowledged to anybody.
  return output.split('\n').slice(0, -1).map(Number)
}

test('kill -9 at any moment loses nothing acknowledged and stores nothing twice', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'isotherm-crash-'))
  const acknowledged = new Set<number>()
  let first = 0
  for (let kill = 0; kill < 12; kill++) {
    for (const from of await writeUntilKilled(directory, first, 40 + ((kill * 37) % 120))) {
      for (let i = 0; i < 20; i++) acknowledged.add(from + i)
    }
    const log = openLog({ directory, clock: Date.now })
    const records = await recordsOf(log)
    await log.close()
    const stored = records.map(({ eventId }) => Number(eventId.slice('event-'.length)))
    const storedOnce = new Set(stored)
    expect(stored.length).toBe(storedOnce.size)
    expect([...acknowledged].filter((n) => !storedOnce.has(n))).toEqual([])
    expect(records.map(({ offset }) => offset)).toEqual(records.map((_, i) => i))
    first = Math.max(...stored) + 1
  }
  expect(acknowledged.size).toBeGreaterThan(5_000)
  rmSync(directory, { recursive: true, force: true })
}, 60_000)
