import { join } from 'node:path'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import { createStageClock, openDeployment, runPipeline } from 'isotherm/runtime'
import { appendSimulated } from './append-simulated.ts'
import { seedOfRun } from './log-records.ts'
import type { Promised } from './promise.ts'
import { isothermJson, query, temporaryFolder } from './system.ts'

const dayMs = 86_400_000
const dayCount = Number(process.argv.find((word) => word.startsWith('--days='))?.slice(7) ?? 30)
const retentionDays = 7
const deviceCount = 60
const startMs = Date.UTC(2026, 1, 1)

type Segment = { readonly sealedAtMs: number; readonly endOffset: number }

/** Rows of a day as text, in a fixed order; what a replay may not keep is left out. */
function rowsOf(data: string, table: string, from: number, until: number): Promise<readonly Row[]> {
  const own = table === 'raw_sensor_readings'
  const left = own ? 'timestamp_available, _sequence_number' : 'computed_at'
  const time = own ? 'timestamp_ingested' : 'window_end'
  return query<Row>(
    data,
    `SELECT md5(string_agg(row, chr(10) ORDER BY row)) AS hash, count(*) AS n FROM (
       SELECT to_json(columns)::VARCHAR AS row FROM (
         SELECT * EXCLUDE (${left}) FROM ${table}
         WHERE ${time} >= make_timestamptz(${from * 1000}) AND ${time} < make_timestamptz(${until * 1000})
       ) AS columns)`,
  )
}

type Row = { readonly hash: string; readonly n: string }

/** A month through the log with its retention, and one of its days once more. */
export const promised: Promised = {
  id: 'B3',
  title: 'retention keeps what it must, and a replayed day equals the day',
  unit: 'times real time',
  bar: 'right segments on each of 30 days; replay >= 100 times real time; equal rows',
  quick: false,
  limitSeconds: 1800,
  run: async (report) => {
    const seed = seedOfRun()
    report(`seed ${seed}`)
    const folder = temporaryFolder('b3')
    const data = join(folder.path, 'month')
    try {
      const { simulator } = refrigeration
      if (simulator === undefined) throw new Error('the refrigeration fleet has no simulator')
      const devices = simulator.devices({ count: deviceCount, seed })
      let nowMs = startMs
      const clock = () => nowMs
      const deployment = await openDeployment({
        fleet: refrigeration,
        dataDirectory: data,
        clock,
        logSegmentBytes: 4 << 20,
      })
      const wrong: string[] = []
      let removed = 0
      try {
        await deployment.state.registry.upsert(devices)
        const stages = createStageClock(clock, () => performance.now())
        const ends: Segment[] = []
        for (let day = 0; day < dayCount; day++) {
          const fromMs = startMs + day * dayMs
          nowMs = fromMs + dayMs
          const span = { fleet: refrigeration, log: deployment.log, devices, faults: [], seed }
          await appendSimulated({ ...span, startMs: fromMs, endMs: nowMs, physicsStartMs: fromMs })
          await runPipeline(deployment, stages, {
            stages: ['land', 'clean', 'features'],
            finishUntilMs: nowMs,
          })
          ends.push({ sealedAtMs: nowMs, endOffset: deployment.log.bounds(0).endOffset })
          removed += (await deployment.log.expire(nowMs)).removedSegmentCount
          const { startOffset } = deployment.log.bounds(0)
          // A segment seals on the day after its last record at the latest: a day of play.
          const mayGo = ends.findLast(
            ({ sealedAtMs }) => sealedAtMs <= nowMs - retentionDays * dayMs,
          )
          const mustGo = ends.findLast(
            ({ sealedAtMs }) => sealedAtMs <= nowMs - (retentionDays + 2) * dayMs,
          )
          if (startOffset > (mayGo?.endOffset ?? 0)) wrong.push(`day ${day}: removed too much`)
          if (startOffset < (mustGo?.endOffset ?? 0) - 20_000)
            wrong.push(`day ${day}: kept too much`)
          if (day % 5 === 4)
            report(`day ${day + 1}: records from offset ${startOffset} on are kept`)
        }
      } finally {
        await deployment.close()
      }
      const from = startMs + (dayCount - 3) * dayMs
      const until = from + dayMs
      const into = join(folder.path, 'day')
      const begin = performance.now()
      const args = [
        '--from',
        new Date(from).toISOString(),
        '--until',
        new Date(until).toISOString(),
      ]
      await isothermJson('log', 'replay', ...args, '--into', into, '--data', data)
      const seconds = (performance.now() - begin) / 1000
      const equal: Record<string, string> = {}
      for (const table of ['raw_sensor_readings', 'device_features']) {
        // The first windows of a day lean on readings of the day before, the last get some later.
        const margin = table === 'device_features' ? dayMs / 4 : 0
        const [before] = await rowsOf(data, table, from + margin, until - margin)
        const [after] = await rowsOf(into, table, from + margin, until - margin)
        equal[table] = `${after?.n} of ${before?.n}`
        if (before?.n === '0' || before?.hash !== after?.hash)
          wrong.push(`${table}: ${equal[table]} rows, other content`)
      }
      for (const line of wrong) report(line)
      const speed = dayMs / 1000 / seconds
      const detail = { seed, seconds, removedSegments: removed, equal, wrong }
      return { ok: wrong.length === 0 && removed > 0 && speed >= 100, value: speed, detail }
    } finally {
      folder.remove()
    }
  },
}
