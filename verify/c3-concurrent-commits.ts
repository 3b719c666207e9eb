import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { createTable, folderStore, openTable } from '@isotherm/delta'
import { counterOf, counterWriter, countUps } from './delta/commit-plan.ts'
import { numberFlag } from './delta/flags.ts'
import { naiveFiles, naiveVersions } from './delta/naive-log.ts'
import { openDatabase } from './delta/our-engine.ts'
import { field } from './delta/random-values.ts'
import { seededRandom } from './delta/seeded-random.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const writerScript = join(import.meta.dirname, 'delta', 'commit-writer.ts')

async function newTable(folder: string): Promise<void> {
  await createTable(folderStore(folder), {
    name: 'commits',
    schema: {
      type: 'struct',
      fields: [field('writer', 'integer'), field('number', 'integer'), field('value', 'long')],
    },
    configuration: { 'delta.checkpointInterval': '50' },
  })
}

function startWriter(folder: string, writer: number, commitCount: number) {
  const args = [writerScript, folder, String(writer), String(commitCount)]
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Versions missing in the log, and rows lost or doubled, judged from the bare files. */
async function faults(
  connection: DuckDBConnection,
  folder: string,
  writerCounts: readonly number[],
): Promise<{ readonly gaps: number; readonly lost: number; readonly doubled: number }> {
  const versions = naiveVersions(folder)
  const gaps = versions.filter((version, i) => version !== i).length
  const files = naiveFiles(folder, versions).map((path) => `'${join(folder, path)}'`)
  if (files.length === 0) return { gaps, lost: 0, doubled: 0 }
  const sql = `SELECT writer, number, count(*)::INTEGER FROM read_parquet([${files.join()}])
    WHERE writer <> ${counterWriter} GROUP BY ALL`
  const rows = (await connection.runAndReadAll(sql)).getRows()
  const countOf = new Map(rows.map(([writer, number, n]) => [`${writer} ${number}`, Number(n)]))
  let lost = 0
  for (const [writer, count] of writerCounts.entries()) {
    for (let number = 0; number < count; number++) {
      if (!countOf.has(`${writer} ${number}`)) lost += 1
      countOf.set(`${writer} ${number}`, (countOf.get(`${writer} ${number}`) ?? 1) - 1)
    }
  }
  const doubled = [...countOf.values()].reduce((sum, n) => sum + Math.max(0, n), 0)
  return { gaps, lost, doubled }
}

async function race(folder: string, writerCount: number, commitCount: number) {
  await newTable(folder)
  const startMs = Date.now()
  const writers = Array.from({ length: writerCount }, (_, writer) => {
    const child = startWriter(folder, writer, commitCount)
    child.stdout.resume()
    return once(child, 'exit')
  })
  const codes = (await Promise.all(writers)).map(([code]) => code)
  const { connection, close } = await openDatabase()
  try {
    const found = await faults(
      connection,
      folder,
      codes.map(() => commitCount),
    )
    const table = await openTable(folderStore(folder))
    const snapshot = await table.snapshot()
    const counter = await counterOf(connection, table, snapshot)
    const lostCounts = writerCount * countUps(commitCount) - counter
    const wrongVersion = snapshot.version === writerCount * commitCount ? 0 : 1
    const failed = codes.filter((code) => code !== 0).length
    const seconds = (Date.now() - startMs) / 1000
    return { ...found, lostCounts, wrongVersion, failed, version: snapshot.version, seconds }
  } finally {
    close()
  }
}

/** Kills a writer again and again; after each kill the table must open and hold what it said. */
async function killing(folder: string, killCount: number, report: (line: string) => void) {
  await newTable(folder)
  const random = seededRandom(numberFlag('seed', 3))
  const { connection, close } = await openDatabase()
  let acknowledged = -1
  let unopened = 0
  let faulty = 0
  try {
    for (let kill = 1; kill <= killCount; kill++) {
      const child = startWriter(folder, 0, 1_000_000)
      child.stdout.on('data', (chunk: Buffer) => {
        acknowledged = Number(chunk.toString().trim().split('\n').at(-1))
      })
      const first = once(child.stdout, 'data')
      await Promise.race([first, once(child, 'exit')])
      await new Promise((resolve) => setTimeout(resolve, random.below(250)))
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
      const table = await openTable(folderStore(folder))
      const snapshot = await table.snapshot()
      const committed = (snapshot.transactions.get('writer-0') ?? -1) + 1
      if (committed < acknowledged + 1 || committed !== snapshot.version) unopened += 1
      const { gaps, lost, doubled } = await faults(connection, folder, [committed])
      if (gaps + lost + doubled > 0) faulty += 1
      if (kill % 25 === 0) report(`${kill} kills, version ${snapshot.version}`)
    }
  } finally {
    close()
  }
  return { kills: killCount, commits: acknowledged + 1, unopened, faulty }
}

export const promised: Promised = {
  id: 'C3',
  title: 'eight processes commit to one table; a writer killed at random points goes on',
  unit: 'faults',
  bar: '0: 8 x 500 commits without a gap, a lost or a doubled row; 100 kills',
  quick: false,
  limitSeconds: 3600,
  run: async (report) => {
    const folder = temporaryFolder('c3')
    try {
      const writers = numberFlag('writers', 8)
      const commits = numberFlag('commits', 500)
      const raced = await race(join(folder.path, 'race'), writers, commits)
      report(`${writers} x ${commits} commits in ${raced.seconds.toFixed(0)} s`)
      const killed = await killing(join(folder.path, 'kill'), numberFlag('kills', 100), report)
      const value =
        raced.gaps +
        raced.lost +
        raced.doubled +
        Math.abs(raced.lostCounts) +
        raced.wrongVersion +
        raced.failed +
        killed.unopened +
        killed.faulty
      return { ok: value === 0, value, detail: { raced, killed } }
    } finally {
      folder.remove()
    }
  },
}
