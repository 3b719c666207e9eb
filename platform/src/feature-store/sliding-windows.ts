import { timeSpan } from '../clean/index.ts'
import { type DeviceRow, featureColumns, IsothermError, quoteName } from '../contracts/index.ts'
import { computeRange, expectedReadings } from '../features/index.ts'
import { type JobContext, type LakeTable, sqlList } from '../lake/index.ts'

/** Windows of one length that start every few minutes, of named devices only. */
export type SlidingRequest = {
  readonly deviceIds: readonly string[]
  readonly durationMinutes: number
  /** Minutes between two starts; divides the length. */
  readonly slideMinutes: number
  /** Windows lie wholly in [fromMs, toMs), epoch ms. */
  readonly fromMs: number
  readonly toMs: number
  /** Registry rows: sensors a device has, and how often it reports. */
  readonly devices: readonly DeviceRow[]
}

/** One window computed on demand. */
export type SlidingWindow = {
  readonly deviceId: string
  readonly startMs: number
  readonly endMs: number
  readonly readingCount: number
  /** Fewer than two thirds of the readings that were due: unfit for training, FEA-12. */
  readonly isPartial: boolean
  /** By feature. */
  readonly values: Readonly<Record<string, number | null>>
}

/** Most windows of one request; the stored windows are for more (FEA-8). */
const maxWindows = 50_000
const minuteMs = 60_000

function refuse(reason: string): never {
  throw new IsothermError('INPUT_INVALID', `sliding windows: ${reason}`)
}

function requireSlide(request: SlidingRequest): void {
  const { deviceIds, durationMinutes, slideMinutes, fromMs, toMs } = request
  if (!Number.isInteger(slideMinutes) || slideMinutes < 1 || durationMinutes % slideMinutes !== 0) {
    refuse(`a slide of ${slideMinutes} min does not divide windows of ${durationMinutes} min`)
  }
  if (deviceIds.length === 0) refuse('name the devices; they are never computed for a whole fleet')
  if (!(toMs - fromMs >= durationMinutes * minuteMs)) {
    refuse(`the span is shorter than one window of ${durationMinutes} min`)
  }
  const count = ((toMs - fromMs) / (slideMinutes * minuteMs)) * deviceIds.length
  if (count > maxWindows) {
    refuse(
      `about ${Math.round(count)} windows, at most ${maxWindows}; ask for less time or devices`,
    )
  }
}

/** Clean readings of the devices, moved back in time so that shifted windows become aligned ones. */
function movedBack(clean: LakeTable, request: SlidingRequest, offsetMs: number): LakeTable {
  const { deviceIds, fromMs, toMs } = request
  const moved = `timestamp_utc - to_milliseconds(${offsetMs})`
  return {
    ...clean,
    relation: (snapshot) => {
      const files = snapshot.files.filter((file) => {
        const { minMs, maxMs } = timeSpan(file, 'timestamp_utc')
        return minMs < toMs && maxMs >= fromMs
      })
      return `(SELECT * REPLACE (${moved} AS timestamp_utc, ${moved} AS timestamp_ingested)
        FROM ${clean.relation(snapshot, files)} WHERE device_id IN (${sqlList(deviceIds)})
          AND timestamp_utc >= make_timestamptz(${fromMs * 1000})
          AND timestamp_utc < make_timestamptz(${toMs * 1000}))`
    },
  }
}

/**
 * Computes sliding windows with the definitions of the stored ones: for each offset the readings
 * are moved back by it, computed as aligned windows, and the windows moved forth again. All
 * readings there are count, late ones too.
 * @returns by device and start
 * @throws IsothermError INPUT_INVALID before anything runs
 * Cost: length / slide passes over the readings of the devices.
 */
export async function slidingWindows(
  { lake, nowMs }: JobContext,
  request: SlidingRequest,
): Promise<readonly SlidingWindow[]> {
  requireSlide(request)
  const { durationMinutes, slideMinutes, fromMs, toMs, devices } = request
  const clean = lake.table('clean_sensor_readings')
  const cleanSnapshot = await clean.snapshot()
  const features = lake.table('device_features')
  const names = featureColumns(lake.fleet).map(({ name }) => name)
  const lengthMs = durationMinutes * minuteMs
  const intervals = new Map(devices.map((row) => [row.device_id, row.reporting_interval_s]))
  const align = (ms: number) => Math.floor(ms / lengthMs) * lengthMs
  const windows: SlidingWindow[] = []
  await lake.withConnection(async (connection) => {
    for (let offsetMs = 0; offsetMs < lengthMs; offsetMs += slideMinutes * minuteMs) {
      const computed = await computeRange({
        connection,
        fleet: lake.fleet,
        devices,
        clean: movedBack(clean, request, offsetMs),
        cleanSnapshot,
        features,
        durationMinutes,
        // One window more on both sides: files are looked for by their unmoved times.
        startMs: align(fromMs) - lengthMs,
        endMs: align(toMs) + 2 * lengthMs,
        nowMs,
      })
      const read = await connection.runAndReadAll(`SELECT device_id, epoch_ms(window_start)::DOUBLE,
          ${names.map((name) => `${quoteName(name)}::DOUBLE`).join(', ')} FROM ${computed}`)
      for (const [id, start, ...cells] of read.getRowsJS()) {
        const startMs = Number(start) + offsetMs
        const endMs = startMs + lengthMs
        if (startMs < fromMs || endMs > toMs) continue
        const deviceId = String(id)
        const values = Object.fromEntries(
          names.map((name, index) => {
            const cell = cells[index]
            return [name, typeof cell === 'number' ? cell : null]
          }),
        )
        const readingCount = values.reading_count ?? 0
        const due = expectedReadings(durationMinutes, intervals.get(deviceId) ?? 60)
        const isPartial = readingCount < Math.ceil((2 / 3) * due)
        windows.push({ deviceId, startMs, endMs, readingCount, isPartial, values })
      }
    }
  })
  return windows.toSorted(
    (a, b) =>
      (a.deviceId < b.deviceId ? -1 : a.deviceId > b.deviceId ? 1 : 0) || a.startMs - b.startMs,
  )
}
