import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Lake, withRows } from '../lake/index.ts'
import { backfillHistory } from './backfill.ts'
import { historySource } from './history-source.ts'
import { pointInTimeJoin } from './point-in-time.ts'
import { commitArrivals, day0, dayMs, hourMs, minuteMs, temporaryLake } from './testing/arrivals.ts'
import { assembleTrainingSet, type TrainingSetRequest } from './training-set.ts'

const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const remove of open.splice(0)) await remove()
})

const nowMs = day0 + 10 * dayMs

/** Three days of one device, a reading every ten minutes; hour 20 is corrected ten hours later. */
async function filledLake(): Promise<Lake> {
  const { lake, remove } = await temporaryLake()
  open.push(remove)
  const count = (3 * dayMs) / (10 * minuteMs)
  const punctual = Array.from({ length: count }, (_, index) => {
    const at = day0 + index * 10 * minuteMs
    return { device: 'A', at, arrivedAt: at + 1000, temperature: 4, pressure: 300 }
  })
  const at = day0 + 20 * hourMs + 1
  const late = { device: 'A', at, arrivedAt: at + 10 * hourMs, temperature: 40, pressure: 300 }
  await commitArrivals(lake, [...punctual, late])
  const days = { fromMs: day0, toMs: day0 + 3 * dayMs, devices: [] }
  await backfillHistory({ lake, nowMs }, days)
  return lake
}

async function addLabel(lake: Lake, label: Readonly<Record<string, unknown>>): Promise<void> {
  const table = lake.table('label_events')
  const standard = {
    label_id: 'one',
    device_id: 'A',
    label_type: 'failure_confirmed',
    label_source: 'field_engineer',
    label_confidence: 0.9,
    labeled_at: nowMs - 1,
  }
  await withRows(lake.temporaryDirectory, table.contract, [{ ...standard, ...label }], (rows) =>
    lake.withConnection((connection) =>
      table.write({ connection, query: `SELECT * FROM ${rows}`, operation: 'LABELS', nowMs }),
    ),
  )
}

const request = (lake: Lake, more: Partial<TrainingSetRequest> = {}): TrainingSetRequest => ({
  durationMinutes: 60,
  fromMs: day0,
  cutMs: day0 + 3 * dayMs,
  featureNames: ['temp_max'],
  directory: join(lake.directory, 'sets'),
  ...more,
})

async function rowsOfSet(lake: Lake, path: string) {
  const reader = await lake.withConnection((connection) =>
    connection.runAndReadAll(`SELECT (epoch_ms(window_start) - ${day0}) / 3600000, label,
      feature_vector[1] FROM read_parquet('${path}')`),
  )
  return new Map(reader.getRowsJS().map(([hour, label, value]) => [hour, [label, value]]))
}

describe('a training set', () => {
  it('takes windows before an event as they were known a buffer before it', async () => {
    const lake = await filledLake()
    await addLabel(lake, { event_timestamp: day0 + 50 * hourMs })
    const context = { lake, nowMs }
    const far = await assembleTrainingSet(context, request(lake, { bufferHours: 24 }))
    const early = await rowsOfSet(lake, far.path)
    // The correction of hour 20 arrived at hour 30, after the buffer began at hour 26.
    expect(early.get(20)).toEqual(['pre_failure', 4])
    expect(early.get(24)).toEqual(['pre_failure', 4])
    expect(early.has(25)).toBe(false)
    expect(early.has(50)).toBe(false)
    expect(early.get(51)).toEqual([null, 4])
    expect(early.get(1)).toEqual(['pre_failure', 4])
    expect(early.get(0)).toEqual([null, 4])
    const near = await assembleTrainingSet(context, request(lake, { bufferHours: 12 }))
    const late = await rowsOfSet(lake, near.path)
    expect(late.get(20)).toEqual(['pre_failure', 40])
    expect(near.excluded).toEqual({ event_inside: 1, in_buffer: 13 })
  })

  it('counts labels of its time only, without those taken back, and none for maintenance', async () => {
    const lake = await filledLake()
    const at = { event_timestamp: day0 + 50 * hourMs }
    await addLabel(lake, { ...at, labeled_at: nowMs - dayMs })
    await addLabel(lake, { ...at, label_id: 'two', label_type: 'planned_maintenance' })
    await addLabel(lake, {
      ...at,
      label_id: 'three',
      label_type: 'normal_operation',
      label_source: 'operator_feedback',
      label_confidence: 0.1,
      supersedes_label_id: 'one',
    })
    const context = { lake, nowMs }
    const then = await assembleTrainingSet(context, request(lake, { asOfMs: nowMs - dayMs }))
    expect(then.labels).toEqual({ pre_failure: 24, unlabelled: 22 })
    const now = await assembleTrainingSet(context, request(lake))
    expect(now.labels).toEqual({ normal: 24, unlabelled: 22 })
    expect(now.excluded).toMatchObject({ maintenance: 1 })
  })

  it('assembled again from the same versions has the same bytes', async () => {
    const lake = await filledLake()
    await addLabel(lake, { event_timestamp: day0 + 50 * hourMs })
    const context = { lake, nowMs }
    const first = await assembleTrainingSet(context, request(lake))
    const bytes = readFileSync(first.path)
    await addLabel(lake, { label_id: 'two', event_timestamp: day0 + 30 * hourMs })
    const pinned = { asOfMs: nowMs, historyVersion: 3, labelVersion: 1 }
    const again = await assembleTrainingSet(
      { lake, nowMs: nowMs + dayMs },
      request(lake, { ...pinned, directory: join(lake.directory, 'again') }),
    )
    expect(first).toMatchObject({ snapshotId: 'feature_history@v3', sha256: again.sha256 })
    expect(readFileSync(again.path).equals(bytes)).toBe(true)
  })

  it('is refused with the reason when it contradicts itself or its days are not filled', async () => {
    const lake = await filledLake()
    const refused = (more: Partial<TrainingSetRequest>) =>
      expect(assembleTrainingSet({ lake, nowMs }, request(lake, more))).rejects
    await refused({ fromMs: day0 - dayMs }).toThrow(/backfill --from 2026-02-15 --to 2026-02-16/)
    await refused({ cutMs: day0 }).toThrow(/empty/)
    await refused({ asOfMs: nowMs + 1 }).toThrow(/future/)
    await refused({ asOfMs: day0 + dayMs }).toThrow(/not yet known/)
    await refused({ featureNames: ['temp_maximum'] }).toThrow(/no feature temp_maximum/)
    await refused({ durationMinutes: 30 }).toThrow(/no windows of 30 min/)
    await refused({ bufferHours: -1 }).toThrow(/whole hours/)
  })
})

describe('a point-in-time join', () => {
  it('answers with what had arrived, and with nothing when nothing had', async () => {
    const lake = await filledLake()
    const source = await historySource(lake, { durationMinutes: 60 })
    const ask = (hour: number) => ({ deviceId: 'A', asOfMs: day0 + hour * hourMs })
    const answers = await pointInTimeJoin(lake, source, [ask(21.1), ask(21.05), ask(1), ask(500)], {
      columns: ['temp_max'],
    })
    expect(answers.map(({ windowStartMs, values }) => [windowStartMs, ...values])).toEqual([
      [day0 + 20 * hourMs, 4],
      [day0 + 19 * hourMs, 4],
      [null, null],
      [null, null],
    ])
    const [corrected] = await pointInTimeJoin(lake, source, [ask(40)], {
      columns: ['temp_max'],
      maxAgeMs: 20 * hourMs,
    })
    expect(corrected).toMatchObject({ windowStartMs: day0 + 39 * hourMs - hourMs, values: [4] })
  })
})
