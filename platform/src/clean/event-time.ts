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

/** Codes of the flags in SQL, where comparing numbers is much cheaper than comparing texts. */
export const timeCodes: Readonly<Record<TimeFlag, number>> = {
  LATE_ARRIVAL: 1,
  CLOCK_DRIFT: 2,
  CLOCK_AHEAD: 3,
}

/** The rule of `eventTime` as a SQL expression that yields the flag's code, 0 for none. */
export const timeCodeSql = `CASE
  WHEN lateness_us BETWEEN ${-micros(aheadLimitMs)} AND ${micros(driftLimitMs)} THEN 0
  WHEN lateness_us > 0 AND lateness_us <= ${micros(flushLimitMs)}
    AND abs(epoch_us(timestamp_ingested) - epoch_us(sent_at)) <= ${micros(trustLimitMs)}
    THEN ${timeCodes.LATE_ARRIVAL}
  WHEN lateness_us < ${-micros(aheadLimitMs)} AND lateness_us >= ${-micros(driftLimitMs)}
    THEN ${timeCodes.CLOCK_AHEAD}
  ELSE ${timeCodes.CLOCK_DRIFT} END`

/** Event time as SQL, where `time_code` is the value of `timeCodeSql`. */
export const eventTimeSql = `CASE WHEN time_code >= ${timeCodes.CLOCK_DRIFT}
  THEN timestamp_ingested ELSE timestamp_device END`

/** E2.3 as SQL: true when an event time lies outside what its flags allow. */
export const eventTimeFaultSql = `timestamp_utc IS NULL
  OR abs(epoch_us(timestamp_ingested) - epoch_us(timestamp_utc)) > CASE
    WHEN time_code = ${timeCodes.LATE_ARRIVAL} THEN ${micros(flushLimitMs)}
    ELSE ${micros(driftLimitMs)} END`
