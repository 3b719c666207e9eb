/** Form of a date or time as text; without a zone it is UTC. */
const timeForm =
  /^([+-]?\d{4,6})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?)?$/

const dayMs = 86_400_000

/**
 * Microseconds since 1970 UTC of a time: a `Date`, ISO text (UTC without a zone), a number of
 * milliseconds or a bigint of microseconds. Undefined for anything else.
 */
export function microsOf(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return microsOfMs(value)
  if (value instanceof Date) return microsOfMs(value.getTime())
  return typeof value === 'string' ? microsOfText(value) : undefined
}

/** Days since 1970 of a date: a `Date` at midnight UTC, ISO text, or a whole number of days. */
export function daysOf(value: unknown): number | undefined {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'number') return Number.isInteger(value) ? value : undefined
  const micros = microsOf(value)
  if (micros === undefined) return undefined
  const days = Number(micros) / (dayMs * 1000)
  return Number.isInteger(days) ? days : undefined
}

function microsOfMs(ms: number): bigint | undefined {
  if (!Number.isFinite(ms)) return undefined
  const whole = Math.floor(ms)
  // What is left below a millisecond: a double holds today's time to a quarter of a microsecond.
  return BigInt(whole) * 1000n + BigInt(Math.round((ms - whole) * 1000))
}

function microsOfText(text: string): bigint | undefined {
  const parts = timeForm.exec(text.trim())
  if (parts === null) return undefined
  const [, year, month, day, hours = '0', minutes = '0', seconds = '0', fraction = '', zone] = parts
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  const isRealDay = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day)
  if (!isRealDay || Number(hours) > 24 || Number(minutes) > 59 || Number(seconds) > 59) {
    return undefined
  }
  const clockMs = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000
  const ms = date.getTime() + clockMs - offsetMs(zone)
  return BigInt(ms) * 1000n + BigInt(fraction.padEnd(6, '0'))
}

function offsetMs(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0
  const sign = zone.startsWith('-') ? -1 : 1
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(':', '') || '0')
  return sign * (hours * 60 + minutes) * 60_000
}
