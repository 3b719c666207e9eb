import { createRandom, nextOpenUnit } from '@isotherm/anomaly'
import { afterEach, describe, expect, it } from 'vitest'
import { featureJob } from '../features/index.ts'
import { withRows } from '../lake/index.ts'
import { acceptanceReport } from './acceptance.ts'
import { type AcceptanceRows, judgeColumn, rankCorrelation } from './acceptance-judgement.ts'
import { backfillHistory } from './backfill.ts'
import { commitArrivals, day0, dayMs, hourMs, minuteMs, temporaryLake } from './testing/arrivals.ts'

const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const remove of open.splice(0)) await remove()
})

/** Four columns: `tells` moves before anomalies, `noise` never, `constant` is one, two more. */
function madeRows(rowCount: number, seed: number, anomalousShare: number): AcceptanceRows {
  const random = createRandom(seed)
  const columnNames = ['tells', 'noise', 'constant', 'other']
  const isAnomalous = Array.from({ length: rowCount }, () => nextOpenUnit(random) < anomalousShare)
  const normal = () => nextOpenUnit(random) + nextOpenUnit(random) + nextOpenUnit(random) - 1.5
  const values = Float64Array.from({ length: 4 * rowCount }, (_, index) => {
    const column = index % 4
    if (column === 2) return 7
    return normal() + (column === 0 && isAnomalous[index >> 2] === true ? 4 : 0)
  })
  return {
    columnNames,
    rowCount,
    values,
    isAnomalous: isAnomalous.map((is) => is || undefined),
    cohorts: Array.from({ length: rowCount }, (_, row) => `model-${row % 3}`),
    windowStartMs: Float64Array.from({ length: rowCount }, (_, row) => row),
  }
}

describe('the judgement of a column', () => {
  const training = madeRows(2000, 1, 0)
  const validation = madeRows(1500, 2, 0.05)

  it('passes one that tells anomalies apart in all cohorts and later', () => {
    const { predictive, general } = judgeColumn('tells', training, validation, 3)
    expect(predictive.passes).toBe(true)
    expect(general.passes).toBe(true)
    expect(general.gain).toBeGreaterThan(0.1)
    expect(general.cohorts).toHaveLength(3)
  })

  it('fails a constant, which changes no ranking, and noise, which adds nothing', () => {
    const constant = judgeColumn('constant', training, validation, 3)
    expect(constant.predictive).toEqual({ spearman: 1, replacedShare: 0, passes: false })
    expect(judgeColumn('noise', training, validation, 3).general.passes).toBe(false)
  })

  it('is undecided about generality without labelled anomalies', () => {
    const { general } = judgeColumn('tells', training, madeRows(500, 4, 0), 3)
    expect(general).toEqual({ gain: null, cohorts: [], later: null, passes: null })
  })

  it('correlates ranks', () => {
    const scores = Float64Array.of(3, 1, 2)
    expect(rankCorrelation(scores, Float64Array.of(30, 10, 20))).toBe(1)
    expect(rankCorrelation(scores, Float64Array.of(-3, -1, -2))).toBe(-1)
  })
})

describe('an acceptance report', () => {
  it('answers from the history, computes it again, and names what is wrong with a request', async () => {
    const { lake, remove } = await temporaryLake()
    open.push(remove)
    const random = createRandom(5)
    const devices = Array.from({ length: 6 }, (_, index) => `D${index}`)
    const arrivals = devices.flatMap((device) =>
      Array.from({ length: (4 * dayMs) / (12 * minuteMs) }, (_, index) => {
        const at = day0 + index * 12 * minuteMs
        const delayMs = nextOpenUnit(random) < 0.1 ? 5 * hourMs : 1000
        return {
          device,
          at,
          arrivedAt: at + delayMs,
          temperature: 4 + nextOpenUnit(random),
          pressure: 300 + 20 * nextOpenUnit(random),
        }
      }),
    )
    await commitArrivals(lake, arrivals)
    const nowMs = day0 + 10 * dayMs
    await featureJob({ lake, nowMs }, { devices: [], finishUntilMs: day0 + 4 * dayMs })
    const days = { fromMs: day0, toMs: day0 + 4 * dayMs, devices: [] }
    await backfillHistory({ lake, nowMs }, days)
    const table = lake.table('label_events')
    const label = {
      label_id: 'one',
      device_id: 'D1',
      event_timestamp: day0 + 3.8 * dayMs,
      label_type: 'failure_confirmed',
      label_source: 'field_engineer',
      label_confidence: 0.9,
      labeled_at: day0 + 5 * dayMs,
    }
    await withRows(lake.temporaryDirectory, table.contract, [label], (rows) =>
      lake.withConnection((connection) =>
        table.write({ connection, query: `SELECT * FROM ${rows}`, operation: 'LABELS', nowMs }),
      ),
    )
    let ticks = 0
    const request = {
      feature: 'pressure_mean',
      durationMinutes: 60,
      fromMs: day0,
      cutMs: day0 + 2 * dayMs,
      untilMs: day0 + 4 * dayMs,
      gapDays: 1,
      devices: [],
      seed: 1,
      stopwatch: () => 60 * ticks++,
    }
    const report = await acceptanceReport({ lake, nowMs }, request)
    expect(report).toMatchObject({
      trainingRowCount: 2 * 24 * 6 - 5,
      available: { differingCount: 0, passes: true },
      fast: { deviceCount: 6, seconds: 0.06, secondsAt100000: 1000, passes: true },
      predictive: { passes: true },
    })
    expect(report.available.checkedCount).toBeGreaterThan(24 * 6)
    expect(report.general.gain).not.toBeNull()
    const refused = (more: Partial<typeof request>) =>
      expect(acceptanceReport({ lake, nowMs }, { ...request, ...more })).rejects
    await refused({ feature: 'pressure_median' }).toThrow(/no feature pressure_median/)
    await refused({ gapDays: 2 }).toThrow(/0 validation rows/)
    await refused({ untilMs: day0 + 5 * dayMs }).toThrow(/backfill --from 2026-02-20/)
  })
})
