import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sparkDialect } from 'isotherm/features'
import { numberFlag } from './delta/flags.ts'
import { storedQueries } from './features/check-windows.ts'
import { dayStartMs } from './features/day-prepare.ts'
import type { DayCost } from './features/day-run.ts'
import { sparkScript } from './features/spark-parses.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const dayMs = 86_400_000
const bars = { newestSeconds: 2, daySeconds: 300, dayMib: 8192, timesSpark: 5 }

type SparkCost = {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly parts: Readonly<Record<string, number>>
}

/** Runs a script of the features folder in a process of its own. */
function scriptJson<T>(name: string, args: readonly string[]): Promise<T> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [join(import.meta.dirname, 'features', name), ...args],
      { maxBuffer: 2 ** 26 },
      (error, output) => (error === null ? resolve(JSON.parse(output) as T) : reject(error)),
    )
  })
}

/** The same definitions in Spark's dialect over the same files. */
function runSpark(folder: string): Promise<SparkCost> | undefined {
  const span = { startMs: dayStartMs, endMs: dayStartMs + dayMs }
  const queries = [15, 60, 1440].map((minutes) => {
    const { sums, rows } = storedQueries(sparkDialect, minutes, span)
    return [String(minutes), sums, rows] as const
  })
  const path = join(folder, '..', 'spark.json')
  writeFileSync(path, JSON.stringify(queries))
  return sparkScript('spark_day.py', [path, folder])
}

/** The features of a large fleet keep up with it on a small machine. */
export const promised: Promised = {
  id: 'E8',
  title: '100,000 devices: newest quarter of an hour, a whole day in three durations, and Spark',
  unit: 's',
  bar: 'newest <= 2 s; day <= 300 s and <= 8 GB on 2 threads; >= 5 times as fast as PySpark local[2]',
  quick: false,
  limitSeconds: 7200,
  run: async (report) => {
    const deviceCount = numberFlag('count', 100_000)
    const sparkCount = numberFlag('spark-count', Math.min(deviceCount, 5000))
    const folder = temporaryFolder('e8')
    const [fleet, small] = [join(folder.path, 'fleet'), join(folder.path, 'small')]
    try {
      for (const [path, count] of [
        [fleet, deviceCount],
        [small, sparkCount],
      ] as const) {
        mkdirSync(path)
        await scriptJson('day-prepare.ts', [path, String(count)])
      }
      report(`a day of ${deviceCount} devices, and of ${sparkCount} for Spark`)
      const run = (path: string, count: number, what: string) =>
        scriptJson<DayCost>('day-run.ts', [path, String(count), what])
      const newest = await run(fleet, deviceCount, 'newest')
      report(`newest window: ${JSON.stringify(newest)}`)
      const day = await run(fleet, deviceCount, 'day')
      report(`day: ${JSON.stringify(day)}`)
      const ours = await run(small, sparkCount, 'day')
      const spark = await runSpark(small)
      report(spark === undefined ? 'no Spark here' : `Spark: ${JSON.stringify(spark)}`)
      const timesSpark = spark === undefined ? undefined : spark.seconds / ours.seconds
      const isWhole = newest.rows === deviceCount && day.rows === deviceCount * (96 + 24 + 1)
      return {
        ok:
          isWhole &&
          newest.seconds <= bars.newestSeconds &&
          day.seconds <= bars.daySeconds &&
          day.peakMib <= bars.dayMib &&
          (timesSpark === undefined || timesSpark >= bars.timesSpark),
        value: day.seconds,
        detail: {
          ...{ deviceCount, newest, day, sparkCount, ours },
          spark: spark ?? 'skipped: no Spark',
          timesSpark,
          timesSparkProcessor: spark === undefined ? undefined : spark.cpuSeconds / ours.cpuSeconds,
        },
      }
    } finally {
      folder.remove()
    }
  },
}
