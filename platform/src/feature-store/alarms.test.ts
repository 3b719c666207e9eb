import { afterEach, describe, expect, it } from 'vitest'
import { featureJob } from '../features/index.ts'
import { withRows } from '../lake/index.ts'
import { type AlarmBook, nextAlarms, readAlarmBook, storeAlarms } from './alarms.ts'
import { type FeatureFinding, featureFindings } from './findings.ts'
import { commitArrivals, day0, hourMs, minuteMs, temporaryLake } from './testing/arrivals.ts'

const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const remove of open.splice(0)) await remove()
})

const finding = (severity: FeatureFinding['severity']): FeatureFinding => ({
  metric: 'freshness',
  subject: '15 min',
  severity,
  owner: 'pipeline',
  value: 50,
  threshold: 45,
  detail: 'late',
})

describe('an alarm', () => {
  it('opens, escalates, eases, is repeated after four hours and closes after three clean looks', () => {
    const looks = [
      [0, 'LOW'],
      [1, 'LOW'],
      [2, 'CRITICAL'],
      [3, 'MEDIUM'],
      [243, 'MEDIUM'],
      [244, null],
      [245, null],
      [246, 'MEDIUM'],
      [247, null],
      [248, null],
      [249, null],
      [250, null],
    ] as const
    let book: AlarmBook = new Map()
    const said = looks.flatMap(([minute, severity]) => {
      const next = nextAlarms(book, [finding(severity)], minute * minuteMs)
      book = next.book
      return next.events.map(({ event }) => [minute, event])
    })
    expect(said).toEqual([
      [0, 'opened'],
      [2, 'escalated'],
      [3, 'eased'],
      [243, 'repeated'],
      [249, 'closed'],
    ])
    expect(book.size).toBe(0)
  })

  it('survives a restart', async () => {
    const { lake, remove } = await temporaryLake()
    open.push(remove)
    const first = nextAlarms(new Map(), [finding('LOW')], day0)
    await storeAlarms(lake, first.events, day0)
    const second = nextAlarms(first.book, [finding('HIGH')], day0 + hourMs)
    await storeAlarms(lake, second.events, day0 + hourMs)
    const book = await readAlarmBook(lake)
    expect([...book.values()]).toMatchObject([
      { severity: 'HIGH', openedMs: day0, saidMs: day0 + hourMs },
    ])
    const closed = [1, 2, 3].reduce(
      (before) => nextAlarms(before.book, [finding(null)], day0 + 2 * hourMs),
      { book, events: first.events },
    )
    await storeAlarms(lake, closed.events, day0 + 2 * hourMs)
    expect((await readAlarmBook(lake)).size).toBe(0)
  })
})

describe('the findings', () => {
  it('tell stale windows from fresh ones and missing devices by the ladders of the specification', async () => {
    const { lake, remove } = await temporaryLake()
    open.push(remove)
    const arrivals = Array.from({ length: 130 }, (_, minute) => {
      const at = day0 + minute * minuteMs
      return { device: 'A', at, arrivedAt: at, temperature: 1, pressure: 1 }
    })
    await commitArrivals(lake, arrivals)
    await featureJob({ lake, nowMs: day0 }, { devices: [] })
    const look = async (minute: number, activeDeviceCount: number) =>
      (await featureFindings({ lake, nowMs: day0 + minute * minuteMs }, { activeDeviceCount })).map(
        ({ metric, subject, severity }) => `${metric} ${subject} ${severity ?? 'ok'}`,
      )
    expect(await look(130, 1)).toEqual([
      'freshness 15 min ok',
      'coverage 15 min ok',
      'freshness 60 min ok',
      'coverage 60 min ok',
    ])
    expect(await look(120 + 46, 50)).toContain('freshness 15 min LOW')
    expect(await look(120 + 46, 50)).toContain('freshness 60 min ok')
    expect(await look(120 + 46, 50)).toContain('coverage 15 min HIGH')
    expect(await look(120 + 61, 1)).toContain('freshness 15 min MEDIUM')
    expect(await look(120 + 121, 1)).toContain('freshness 15 min CRITICAL')
  })

  it('name a feature that is null more often than in training, to data engineering (FEA-67)', async () => {
    const { lake, remove } = await temporaryLake()
    open.push(remove)
    const arrivals = Array.from({ length: 20 }, (_, device) =>
      Array.from({ length: 20 }, (_reading, minute) => {
        const at = day0 + minute * minuteMs
        const temperature = device < 2 ? null : 1
        return { device: `D${device}`, at, arrivedAt: at, temperature, pressure: 1 }
      }),
    ).flat()
    await commitArrivals(lake, arrivals)
    await featureJob({ lake, nowMs: day0 }, { devices: [] })
    const table = lake.table('feature_baselines')
    const baselines = [
      ['temp_mean', 0.04],
      ['pressure_mean', 0],
      ['temp_max', 0.06],
    ].map(([name, share]) => ({
      feature_name: name,
      granularity: 'fleet',
      computed_at: day0,
      window_duration_minutes: 15,
      null_fraction: share,
    }))
    await withRows(lake.temporaryDirectory, table.contract, baselines, (relation) =>
      lake.withConnection((connection) =>
        table.write({
          connection,
          query: `SELECT * FROM ${relation}`,
          operation: 'BASELINES',
          nowMs: day0,
        }),
      ),
    )
    const findings = await featureFindings(
      { lake, nowMs: day0 + 20 * minuteMs },
      { activeDeviceCount: 20 },
    )
    const nulls = findings.filter(({ metric }) => metric === 'null_fraction')
    expect(nulls).toMatchObject([
      { subject: 'temp_mean, 15 min', severity: 'MEDIUM', owner: 'data-engineering' },
      { subject: 'temp_max, 15 min', severity: null },
      { subject: 'pressure_mean, 15 min', severity: null },
    ])
    expect(nulls[0]?.detail).toBe('10.0 % null, 4.0 % in training')
  })
})
