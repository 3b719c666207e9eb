import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import {
  assembleTrainingSet,
  backfillHistory,
  historySource,
  pointInTimeJoin,
} from 'isotherm/feature-store'
import { openLake, withRows } from 'isotherm/lake'
import { commitClean, type Lake, madeReadings, numberOption, seeded } from './clean-arrivals.ts'
import {
  dayMs,
  hourMs,
  isSame,
  minuteMs,
  type NaiveReading,
  naiveFeatures,
} from './naive-features.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const startMs = Date.UTC(2026, 2, 2)
const days = 5
const endMs = startMs + days * dayMs
/** Emission delays of FEA-10 and the commit interval of ING-27, from the specification. */
const delayMs: Readonly<Record<number, number>> = { 15: minuteMs, 60: 5 * minuteMs, 1440: hourMs }
const tickMs = 5 * minuteMs

type Label = {
  readonly label_id: string
  readonly device_id: string
  readonly event_timestamp: number
  readonly label_type: string
  readonly label_source: string
  readonly label_confidence: number
  readonly labeled_at: number
  readonly supersedes_label_id: string | null
}

function madeLabels(devices: readonly string[], count: number): readonly Label[] {
  const random = seeded(23)
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
  const labels: Label[] = []
  for (let n = 0; n < count; n++) {
    // Some fall exactly on window ends, where strict and not strict differ.
    const raw = startMs + dayMs + random() * (days - 1) * dayMs
    const at = n % 3 === 0 ? Math.floor(raw / hourMs) * hourMs : Math.floor(raw)
    const superseded = n % 11 === 10 ? labels.at(-3)?.label_id : undefined
    const twin = n % 13 === 12 ? labels.at(-1) : undefined
    labels.push({
      label_id: `label-${n}`,
      device_id: twin?.device_id ?? pick(devices),
      event_timestamp: twin?.event_timestamp ?? at,
      label_type: pick([
        'failure_confirmed',
        'anomaly_confirmed',
        'false_positive',
        'normal_operation',
        'planned_maintenance',
      ]),
      label_source: pick(['field_engineer', 'maintenance_system', 'operator_feedback']),
      label_confidence: Math.round(random() * 100) / 100,
      labeled_at: Math.floor(at + random() * 2 * dayMs),
      supersedes_label_id: superseded ?? null,
    })
  }
  return labels
}

async function commitLabels(lake: Lake, labels: readonly Label[]): Promise<void> {
  const table = lake.table('label_events')
  await withRows(lake.temporaryDirectory, table.contract, labels, (relation) =>
    lake.withConnection((connection) =>
      table.write({
        connection,
        query: `SELECT * FROM ${relation}`,
        operation: 'LABELS',
        nowMs: endMs,
      }),
    ),
  )
}

type Windows = ReadonlyMap<string, readonly NaiveReading[]>

function windowsOf(readings: readonly NaiveReading[], minutes: number): Windows {
  const lengthMs = minutes * minuteMs
  return Map.groupBy(
    readings,
    ({ deviceId, takenMs }) => `${deviceId} ${Math.floor(takenMs / lengthMs) * lengthMs}`,
  )
}

/** The readings of a window that were known at an instant; none before the window is emitted. */
function knownReadings(
  readings: readonly NaiveReading[],
  windowEndMs: number,
  minutes: number,
  atMs: number,
): readonly NaiveReading[] {
  const emittedMs = windowEndMs + (delayMs[minutes] ?? 0)
  if (emittedMs > atMs) return []
  return readings.filter(
    ({ arrivedMs }) => arrivedMs <= emittedMs || Math.ceil(arrivedMs / tickMs) * tickMs <= atMs,
  )
}

const mapped: Readonly<Record<string, string>> = {
  failure_confirmed: 'pre_failure',
  anomaly_confirmed: 'anomaly_confirmed',
  false_positive: 'false_positive',
  normal_operation: 'normal',
}

type Expected = {
  readonly label: string | null
  readonly features: ReturnType<typeof naiveFeatures>
}

/** Contract 3.5 by hand: which windows are rows, under which label, with which values. */
function expectedRows(
  windows: Windows,
  labels: readonly Label[],
  rule: {
    readonly minutes: number
    readonly cutMs: number
    readonly asOfMs: number
    readonly bufferMs: number
    readonly ageMs: number
  },
): ReadonlyMap<string, Expected> {
  const recorded = labels.filter(({ labeled_at }) => labeled_at <= rule.asOfMs)
  const gone = new Set(recorded.map(({ supersedes_label_id }) => supersedes_label_id))
  const standing = recorded.filter(({ label_id }) => !gone.has(label_id))
  const rows = new Map<string, Expected>()
  for (const [key, readings] of windows) {
    const [device, start] = key.split(' ') as [string, string]
    const windowStartMs = Number(start)
    const windowEndMs = windowStartMs + rule.minutes * minuteMs
    if (windowEndMs > rule.cutMs) continue
    const own = standing.filter(({ device_id }) => device_id === device)
    if (own.some((l) => l.event_timestamp >= windowStartMs && l.event_timestamp < windowEndMs)) {
      continue
    }
    const [first] = own
      .filter((l) => l.label_type !== 'planned_maintenance' && l.event_timestamp >= windowEndMs)
      .toSorted(
        (a, b) =>
          a.event_timestamp - b.event_timestamp ||
          b.label_confidence - a.label_confidence ||
          b.labeled_at - a.labeled_at,
      )
    let atMs = rule.asOfMs
    let label: string | null = null
    if (first !== undefined) {
      const limitMs = first.event_timestamp - rule.bufferMs
      if (windowEndMs >= limitMs) continue
      if (windowEndMs >= limitMs - rule.ageMs) {
        label = mapped[first.label_type] ?? null
        atMs = Math.min(limitMs, rule.asOfMs)
      }
    }
    const known = knownReadings(readings, windowEndMs, rule.minutes, atMs)
    if (known.length === 0) continue
    const features = naiveFeatures(known)
    if ((features.sensor_completeness ?? 0) < 0.5) continue
    rows.set(key, { label, features })
  }
  return rows
}

type StoredRow = {
  readonly key: string
  readonly label: string | null
  readonly names: readonly string[]
  readonly values: readonly (number | null)[]
}

async function storedRows(lake: Lake, path: string): Promise<readonly StoredRow[]> {
  const reader = await lake.withConnection((connection) =>
    connection.runAndReadAll(`SELECT device_id || ' ' || epoch_ms(window_start), label,
      to_json(feature_names)::VARCHAR, to_json(feature_vector)::VARCHAR
      FROM read_parquet('${path}')`),
  )
  return reader.getRowsJS().map(([key, label, names, values]) => ({
    key: String(key),
    label: label === null ? null : String(label),
    names: JSON.parse(String(names)) as readonly string[],
    values: JSON.parse(String(values)) as readonly (number | null)[],
  }))
}

function compared(rows: readonly StoredRow[], expected: ReadonlyMap<string, Expected>) {
  let leaked = 0
  let mislabelled = 0
  let unexpected = 0
  let example = ''
  for (const { key, label, names, values } of rows) {
    const right = expected.get(key)
    if (right === undefined) unexpected += 1
    else {
      const wrong = names.findIndex((name, i) => !isSame(values[i], right.features[name]))
      if (wrong >= 0) {
        leaked += 1
        example = `${key} ${names[wrong]}: ${values[wrong]}, expected ${right.features[names[wrong] ?? '']}`
      }
      if (label !== right.label) mislabelled += 1
    }
  }
  return {
    leaked,
    mislabelled,
    unexpected,
    missing: expected.size - rows.length + unexpected,
    example,
  }
}

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

/** Late corrections and labels are injected; the rows are computed again by hand from the arrivals. */
export const promised: Promised = {
  id: 'E2',
  title: 'training rows and point-in-time joins hold nothing that had not arrived',
  unit: 'leaked rows',
  bar: '0; contract 3.5 holds for 100 % of rows; assembled again: identical bytes',
  quick: false,
  limitSeconds: 300,
  run: async (report) => {
    const folder = temporaryFolder('e2')
    const shape = {
      deviceCount: numberOption('count', 24),
      startMs,
      endMs,
      stepMs: 3 * minuteMs,
      lateShare: 0.08,
      veryLateShare: 0.02,
      nullShare: 0.08,
      seed: 5,
    }
    const readings = madeReadings(shape)
    const devices = [...new Set(readings.map(({ deviceId }) => deviceId))]
    const labels = madeLabels(devices, shape.deviceCount * 2)
    const nowMs = endMs + 10 * dayMs
    const lakes: Lake[] = []
    try {
      const tables = join(folder.path, 'tables')
      const lake = await openLake({ directory: tables, fleet: refrigeration })
      lakes.push(lake)
      const byArrival = readings.toSorted((a, b) => a.arrivedMs - b.arrivedMs)
      const half = Math.floor(byArrival.length / 2)
      await commitClean(lake, byArrival.slice(0, half))
      await commitClean(lake, byArrival.slice(half))
      await commitLabels(lake, labels)
      const context = { lake, nowMs }
      const span = { fromMs: startMs, toMs: endMs, devices: [] }
      const filled = await backfillHistory(context, span)
      report(`${readings.length} readings, ${labels.length} labels, ${filled.rowCount} states`)
      const totals = { leaked: 0, mislabelled: 0, unexpected: 0, missing: 0, rows: 0, labelled: 0 }
      let example = ''
      const sets = []
      for (const minutes of [15, 60, 1440]) {
        for (const [bufferHours, asOfMs] of [
          [24, nowMs],
          [12, endMs + 7 * hourMs],
        ] as const) {
          const request = {
            durationMinutes: minutes,
            fromMs: startMs,
            cutMs: endMs,
            asOfMs,
            bufferHours,
            directory: join(folder.path, 'sets'),
          }
          const set = await assembleTrainingSet(context, request)
          sets.push({ request, set })
          const expected = expectedRows(windowsOf(readings, minutes), labels, {
            minutes,
            cutMs: endMs,
            asOfMs,
            bufferMs: bufferHours * hourMs,
            ageMs: dayMs,
          })
          const rows = await storedRows(lake, set.path)
          const found = compared(rows, expected)
          for (const name of ['leaked', 'mislabelled', 'unexpected', 'missing'] as const) {
            totals[name] += found[name]
          }
          if (found.example !== '') example = found.example
          totals.rows += rows.length
          totals.labelled += rows.filter(({ label }) => label !== null).length
          report(
            `${minutes} min, ${bufferHours} h: ${JSON.stringify({ rows: rows.length, ...found })}`,
          )
        }
      }
      // Later events: corrections a week late, more labels, a commit to each table.
      const extra = readings
        .filter((_, index) => index % 50 === 0)
        .map((reading) => ({
          ...reading,
          eventId: `${reading.eventId}-again`,
          takenMs: reading.takenMs + 1,
          arrivedMs: reading.arrivedMs + 6 * dayMs,
        }))
      await commitClean(lake, extra)
      await commitLabels(
        lake,
        madeLabels(devices, 5).map((l) => ({ ...l, label_id: `${l.label_id}x` })),
      )
      await backfillHistory(context, span)
      const single = await openLake({ directory: tables, fleet: refrigeration, threadCount: 1 })
      lakes.push(single)
      let differing = 0
      for (const { request, set } of sets) {
        const again = await assembleTrainingSet(
          { lake: single, nowMs },
          {
            ...request,
            historyVersion: Number(set.snapshotId.split('@v')[1]),
            labelVersion: Number(set.labelSnapshotId.split('@v')[1]),
            directory: join(folder.path, 'again'),
          },
        )
        if (sha256(again.path) !== sha256(set.path)) differing += 1
      }
      const spine = await spineLeaks(lake, [...readings, ...extra], devices)
      const { leaked, mislabelled, unexpected, missing } = totals
      return {
        ok:
          leaked + mislabelled + unexpected + missing + differing + spine.wrong === 0 &&
          totals.labelled > 100,
        value: leaked + spine.wrong,
        detail: { ...totals, differing, sets: sets.length, spine, example },
      }
    } finally {
      for (const lake of lakes) await lake.close()
      folder.remove()
    }
  },
}

/** Random times of random devices: the newest window known then, by hand. */
async function spineLeaks(
  lake: Lake,
  readings: readonly NaiveReading[],
  devices: readonly string[],
) {
  const random = seeded(77)
  const spine = Array.from({ length: 500 }, () => ({
    deviceId: devices[Math.floor(random() * devices.length)] ?? '',
    asOfMs: Math.floor(startMs + random() * (days + 1) * dayMs),
  }))
  const columns = ['temp_evaporator_mean', 'vibration_compressor_p95', 'reading_count']
  const minutes = 60
  const source = await historySource(lake, { durationMinutes: minutes })
  const answers = await pointInTimeJoin(lake, source, spine, { columns })
  const windows = windowsOf(readings, minutes)
  const starts = [...new Set([...windows.keys()].map((key) => Number(key.split(' ')[1])))]
  let wrong = 0
  let answered = 0
  for (const { deviceId, asOfMs, windowStartMs, values } of answers) {
    const candidates = starts
      .filter((ms) => ms + hourMs <= asOfMs && ms + hourMs >= asOfMs - dayMs)
      .toSorted((a, b) => b - a)
    const known = candidates
      .map((ms) => ({
        ms,
        readings: knownReadings(
          windows.get(`${deviceId} ${ms}`) ?? [],
          ms + hourMs,
          minutes,
          asOfMs,
        ),
      }))
      .find((one) => one.readings.length > 0)
    if (windowStartMs !== null) answered += 1
    const features = known === undefined ? undefined : naiveFeatures(known.readings)
    const isRight =
      (known?.ms ?? null) === windowStartMs &&
      columns.every((name, i) => isSame(values[i], features?.[name]))
    if (!isRight) wrong += 1
  }
  return { questions: spine.length, answered, wrong }
}
