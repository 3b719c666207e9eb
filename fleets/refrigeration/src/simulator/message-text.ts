/** Whole numbers below this have their text ready; covers every sensor range. */
const integerLimit = 8192

const integers: readonly string[] = Array.from({ length: integerLimit }, (_, n) => String(n))

/** `.25`, `.5` or nothing, by hundredths. */
const fractions: readonly string[] = Array.from({ length: 100 }, (_, n) =>
  n === 0 ? '' : n % 10 === 0 ? `.${n / 10}` : `.${String(n).padStart(2, '0')}`,
)

const twoDigits: readonly string[] = integers.slice(0, 60).map((text) => text.padStart(2, '0'))
const threeDigits: readonly string[] = integers.slice(0, 1000).map((text) => text.padStart(3, '0'))

/**
 * A number as JSON text with at most two decimals, as the controllers send it. By tables:
 * `toFixed` would take half of the simulator's time.
 */
export function decimalText(value: number): string {
  const hundredths = Math.round(Math.abs(value) * 100)
  const whole = Math.floor(hundredths / 100)
  const text = (integers[whole] ?? String(whole)) + fractions[hundredths - whole * 100]!
  return value < 0 && hundredths > 0 ? `-${text}` : text
}

/** Writes instants as ISO 8601 text; keeps the text of the current hour. */
export function instantWriter(): (timeMs: number) => string {
  let hour = Number.NaN
  let prefix = ''
  return (timeMs) => {
    const newHour = Math.floor(timeMs / 3_600_000)
    if (newHour !== hour) {
      hour = newHour
      prefix = new Date(hour * 3_600_000).toISOString().slice(0, 14)
    }
    const rest = timeMs - hour * 3_600_000
    const minute = Math.floor(rest / 60_000)
    const second = Math.floor((rest - minute * 60_000) / 1000)
    const milli = rest - minute * 60_000 - second * 1000
    return `${prefix}${twoDigits[minute]!}:${twoDigits[second]!}.${threeDigits[milli]!}Z`
  }
}
