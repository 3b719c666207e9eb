import { sqlText, timeSpan } from '../clean/index.ts'
import { IsothermError, quoteName } from '../contracts/index.ts'
import type { Lake } from '../lake/index.ts'

/** A reading of the sensor that opens and closes sessions; null is no data. */
export type SessionReading = { readonly timeMs: number; readonly value: number | null }

/** When a session opens and closes. */
export type SessionRule = {
  /** Open at or above this value, in the sensor's unit. */
  readonly threshold: number
  /** Time below it that closes a session; default 2 min (FEA-8). */
  readonly offMs?: number
  /** Time without data that closes it; default 5 min (FEA-8). */
  readonly gapMs?: number
  /** How long a reading speaks for; default 1 min. */
  readonly intervalMs?: number
}

/** One run: from the first reading at or above the threshold to the first below it. */
export type Session = {
  readonly startMs: number
  readonly endMs: number
  readonly runMinutes: number
  /** Since the end of the session before; null for the first, and across a gap in the data. */
  readonly precedingOffMinutes: number | null
  readonly closedBy: 'off' | 'gap' | 'end_of_data'
}

type Run = { startMs: number; lastOnMs: number; belowMs: number | undefined }

const minuteMs = 60_000

/**
 * Session windows of one device, FEA-8: short dips below the threshold do not end a run.
 * @param readings in time order
 */
export function sessionsOf(
  readings: readonly SessionReading[],
  { threshold, offMs = 2 * minuteMs, gapMs = 5 * minuteMs, intervalMs = minuteMs }: SessionRule,
): readonly Session[] {
  const sessions: Session[] = []
  let run: Run | undefined
  let lastMs: number | undefined
  let offSinceMs: number | undefined
  const close = (startMs: number, endMs: number, closedBy: Session['closedBy']) => {
    const precedingOffMinutes = offSinceMs === undefined ? null : (startMs - offSinceMs) / minuteMs
    const runMinutes = (endMs - startMs) / minuteMs
    sessions.push({ startMs, endMs, runMinutes, precedingOffMinutes, closedBy })
    offSinceMs = closedBy === 'gap' ? undefined : endMs
    run = undefined
  }
  for (const { timeMs, value } of readings) {
    if (value === null) continue
    if (lastMs !== undefined && timeMs - lastMs > gapMs) {
      if (run !== undefined) close(run.startMs, run.belowMs ?? run.lastOnMs + intervalMs, 'gap')
      offSinceMs = undefined
    }
    lastMs = timeMs
    if (value >= threshold) {
      if (run === undefined) run = { startMs: timeMs, lastOnMs: timeMs, belowMs: undefined }
      else run = { startMs: run.startMs, lastOnMs: timeMs, belowMs: undefined }
    } else if (run !== undefined) {
      const belowMs: number = run.belowMs ?? timeMs
      run = { ...run, belowMs }
      // Each reading speaks for its interval: two readings a minute apart are two minutes below.
      if (timeMs + intervalMs - belowMs >= offMs) close(run.startMs, belowMs, 'off')
    }
  }
  if (run !== undefined) close(run.startMs, run.belowMs ?? run.lastOnMs + intervalMs, 'end_of_data')
  return sessions
}

/** Which device, sensor and time. */
export type SessionRequest = SessionRule & {
  readonly deviceId: string
  readonly sensor: string
  /** Event times, half-open, epoch ms. */
  readonly fromMs: number
  readonly toMs: number
}

/** Most days of one request. */
const maxDays = 31

/**
 * Sessions of one device from its clean readings.
 * @throws IsothermError INPUT_INVALID for an unknown sensor or a span that is empty or too long
 */
export async function deviceSessions(
  lake: Lake,
  request: SessionRequest,
): Promise<readonly Session[]> {
  const { deviceId, sensor, fromMs, toMs } = request
  const gauges = lake.fleet.sensors.filter(({ kind }) => kind !== 'boolean').map(({ name }) => name)
  const refuse = (reason: string) => new IsothermError('INPUT_INVALID', `sessions: ${reason}`)
  if (!gauges.includes(sensor)) {
    throw refuse(`there is no sensor ${sensor} with numbers; there are ${gauges.join(', ')}`)
  }
  if (!(toMs > fromMs)) throw refuse('the span is empty')
  if (toMs - fromMs > maxDays * 86_400_000) throw refuse(`at most ${maxDays} days at a time`)
  const table = lake.table('clean_sensor_readings')
  const snapshot = await table.snapshot()
  const files = snapshot.files.filter((file) => {
    const { minMs, maxMs } = timeSpan(file, 'timestamp_utc')
    return minMs < toMs && maxMs >= fromMs
  })
  if (files.length === 0) return []
  const read = await lake.withConnection((connection) =>
    connection.runAndReadAll(`SELECT epoch_ms(timestamp_utc)::DOUBLE, ${quoteName(sensor)}::DOUBLE
      FROM ${table.relation(snapshot, files)} WHERE device_id = ${sqlText(deviceId)}
        AND timestamp_utc >= make_timestamptz(${fromMs * 1000})
        AND timestamp_utc < make_timestamptz(${toMs * 1000})
      ORDER BY timestamp_utc, event_id`),
  )
  const readings = read.getRowsJS().map(([timeMs, value]) => ({
    timeMs: Number(timeMs),
    value: typeof value === 'number' ? value : null,
  }))
  return sessionsOf(readings, request)
}
