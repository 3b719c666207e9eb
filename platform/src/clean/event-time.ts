/** Why an event time is not simply the device's own, ING-43 and ING-44. */
export type TimeFlag = 'LATE_ARRIVAL' | 'CLOCK_DRIFT' | 'CLOCK_AHEAD'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** A device clock may run ahead by this much before the gateway's clock is taken, ING-44. */
const aheadLimitMs = 5 * minuteMs
/** Beyond this the device clock is wrong unless the device proves otherwise, CON-11. */
const driftLimitMs = 24 * hourMs
/** A proven buffer flush may be this old, ING-43. */
const flushLimitMs = 7 * 24 * hourMs
/** `sent_at` this close to the arrival proves a right clock, ING-44. */
const trustLimitMs = 5 * minuteMs

/** What the clocks of one message say, epoch milliseconds. */
export type MessageClocks = {
  /** Zone-corrected device time of the reading. */
  readonly deviceMs: number
  /** Gateway receive time. */
  readonly ingestedMs: number
  /** Device clock when transmitting, if the device tells. */
  readonly sentMs?: number
}

/** Event time of a reading by CON-11, with the reason when it differs from the plain device time. */
export function eventTime({ deviceMs, ingestedMs, sentMs }: MessageClocks): {
  readonly timeMs: number
  readonly flag?: TimeFlag
} {
  const latenessMs = ingestedMs - deviceMs
  if (latenessMs > driftLimitMs) {
    const isTrusted = sentMs !== undefined && Math.abs(ingestedMs - sentMs) <= trustLimitMs
    if (isTrusted && latenessMs <= flushLimitMs) return { timeMs: deviceMs, flag: 'LATE_ARRIVAL' }
    return { timeMs: ingestedMs, flag: 'CLOCK_DRIFT' }
  }
  if (latenessMs < -driftLimitMs) return { timeMs: ingestedMs, flag: 'CLOCK_DRIFT' }
  if (latenessMs < -aheadLimitMs) return { timeMs: ingestedMs, flag: 'CLOCK_AHEAD' }
  return { timeMs: deviceMs }
}

const micros = (ms: number) => ms * 1000

/** The rule of `eventTime` as a SQL expression that yields the flag, or NULL. */
export const timeFlagSql = `CASE
  WHEN lateness_us > ${micros(driftLimitMs)} THEN CASE
    WHEN lateness_us <= ${micros(flushLimitMs)}
      AND abs(epoch_us(timestamp_ingested) - epoch_us(sent_at)) <= ${micros(trustLimitMs)}
    THEN 'LATE_ARRIVAL' ELSE 'CLOCK_DRIFT' END
  WHEN lateness_us < ${-micros(driftLimitMs)} THEN 'CLOCK_DRIFT'
  WHEN lateness_us < ${-micros(aheadLimitMs)} THEN 'CLOCK_AHEAD'
END`

/** Event time as SQL, where `time_flag` is the value of `timeFlagSql`. */
export const eventTimeSql = `CASE WHEN time_flag IN ('CLOCK_DRIFT', 'CLOCK_AHEAD')
  THEN timestamp_ingested ELSE timestamp_device END`

/** E2.3 as SQL: true when an event time lies outside what its flags allow. */
export const eventTimeFaultSql = `timestamp_utc IS NULL
  OR abs(epoch_us(timestamp_ingested) - epoch_us(timestamp_utc)) > CASE
    WHEN time_flag = 'LATE_ARRIVAL' THEN ${micros(flushLimitMs)} ELSE ${micros(driftLimitMs)} END`
