import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { HourOutcome } from './hour-run.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const deviceCount = 100_000
const limitSeconds = 60
const limitMib = 6 * 1024

/** Runs a script of this folder in a process of its own and parses what it prints. */
function scriptJson<T>(
  name: string,
  args: readonly string[],
  report: (line: string) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [join(import.meta.dirname, name), ...args],
      { maxBuffer: 2 ** 26 },
      (error, output) => {
        if (error === null) resolve(JSON.parse(output) as T)
        else reject(error)
      },
    )
    child.stderr?.on('data', (chunk: Buffer) => report(chunk.toString().trimEnd()))
  })
}

/** Seconds of a plain count over the log's files: how fast the machine is right now. */
async function calibrate(
  data: string,
): Promise<{ readonly seconds: number; readonly cpu: number }> {
  const paths = globSync('log/p0/[0-9]*.ndjson', { cwd: data })
    .toSorted()
    .slice(0, -1)
    .map((path) => `'${join(data, path)}'`)
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run('SET threads = 2')
    const start = performance.now()
    const startCpu = process.cpuUsage()
    await connection.runAndReadAll(
      `SELECT count(*), max(t) FROM read_ndjson([${paths.join(', ')}], columns = {t: 'BIGINT'})`,
    )
    const { user, system } = process.cpuUsage(startCpu)
    return { seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 }
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** An hour of a large fleet goes from the log to alerts on a small machine. */
export const promised: Promised = {
  id: 'S3',
  title: '100,000 devices x 60 minutes from the log: landed, cleaned, featured, scored, alerted',
  unit: 's',
  bar: `<= ${limitSeconds} s on 2 threads, peak memory <= 6 GB, every message accounted for`,
  quick: false,
  limitSeconds: 1800,
  run: async (report) => {
    const folder = temporaryFolder('s3')
    try {
      const prepared = await scriptJson<{ readonly messageCount: number }>(
        'hour-prepare.ts',
        [folder.path, String(deviceCount)],
        report,
      )
      const calibration = await calibrate(folder.path)
      const outcome = await scriptJson<HourOutcome>('hour-run.ts', [folder.path], report)
      const { rows } = outcome
      const isComplete =
        rows.landed === prepared.messageCount &&
        rows.cleaned + rows.setAside === prepared.messageCount &&
        rows.hourlyWindows >= 0.99 * deviceCount &&
        rows.alerts > 0
      return {
        ok: isComplete && outcome.seconds <= limitSeconds && outcome.peakMib <= limitMib,
        value: outcome.seconds,
        detail: { ...prepared, calibration, ...outcome },
      }
    } finally {
      folder.remove()
    }
  },
}
