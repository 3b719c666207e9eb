/** A parsed time; without an offset `ms` is the wall-clock time read as if it were UTC. */
export type IsoTime = { ms: number; hasOffset: boolean }

const dayMs = 86_400_000

/** Days from 1970-01-01 in the proleptic Gregorian calendar. Source: H. Hinnant, days_from_civil. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const

function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return month === 2 && isLeap ? 29 : (monthDays[month - 1] ?? 0)
}

/** Two digits as a number, or a negative number or one above 99 if they are none. */
function two(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 0x30
  const ones = bytes[at + 1]! - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}

/** Offset in minutes of `Z`, `+hh`, `+hhmm` or `+hh:mm` at [at, end); NaN if it is none of them. */
function offsetMinutes(bytes: Uint8Array, at: number, end: number): number {
  const sign = bytes[at]
  if ((sign! | 0x20) === 0x7a) return at + 1 === end ? 0 : Number.NaN
  if (sign !== 0x2b && sign !== 0x2d) return Number.NaN
  const length = end - at - 1
  if (length !== 2 && length !== 4 && !(length === 5 && bytes[at + 3] === 0x3a)) return Number.NaN
  const hours = two(bytes, at + 1)
  const minutes = length === 2 ? 0 : two(bytes, end - 2)
  if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59) return Number.NaN
  return (sign === 0x2d ? -1 : 1) * (hours * 60 + minutes)
}

/**
 * Reads an ISO 8601 date and time: `yyyy-MM-ddThh:mm[:ss[.f...]]` with `T` or a blank, and `Z`, an
 * offset or neither. Digits beyond milliseconds are cut off. False if it is none.
 */
export function parseIsoTime(bytes: Uint8Array, start: number, end: number, out: IsoTime): boolean {
  if (end - start < 16) return false
  const century = two(bytes, start)
  const yearOfCentury = two(bytes, start + 2)
  const month = two(bytes, start + 5)
  const day = two(bytes, start + 8)
  const separator = bytes[start + 10]!
  const hour = two(bytes, start + 11)
  const minute = two(bytes, start + 14)
  if (bytes[start + 4] !== 0x2d || bytes[start + 7] !== 0x2d || bytes[start + 13] !== 0x3a) {
    return false
  }
  if ((separator | 0x20) !== 0x74 && separator !== 0x20) return false
  if (century < 0 || yearOfCentury < 0 || month < 1 || month > 12) return false
  const year = century * 100 + yearOfCentury
  if (year < 1 || day < 1 || day > daysIn(year, month)) return false
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return false
  let at = start + 16
  let second = 0
  let millisecond = 0
  if (at < end && bytes[at] === 0x3a) {
    second = at + 3 <= end ? two(bytes, at + 1) : -1
    if (second < 0 || second > 59) return false
    at += 3
    if (at < end && (bytes[at] === 0x2e || bytes[at] === 0x2c)) {
      const first = ++at
      let weight = 100
      while (at < end && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) {
        millisecond += Math.floor(weight) * (bytes[at]! - 0x30)
        weight /= 10
        at++
      }
      if (at === first) return false
    }
  }
  const offset = at === end ? 0 : offsetMinutes(bytes, at, end)
  if (Number.isNaN(offset)) return false
  const timeMs = ((hour * 60 + minute) * 60 + second) * 1_000 + millisecond
  out.ms = daysFromCivil(year, month, day) * dayMs + timeMs - offset * 60_000
  out.hasOffset = at < end
  return true
}
