/**
 * Writes the ASCII text of a message into one buffer. Joining strings instead leaves dozens of
 * string nodes a message to the garbage collector, which took two fifths of a history run.
 */
export type MessageWriter = {
  /** Starts a new text. */
  readonly begin: () => void
  /** Appends bytes made by `asciiBytes`. */
  readonly bytes: (text: Uint8Array) => void
  /** Appends a number below 2^31 with at most two decimals, as the controllers send it. */
  readonly decimal: (value: number) => void
  /** Appends an instant as ISO 8601 with milliseconds. */
  readonly instant: (timeMs: number) => void
  readonly finish: () => string
}

const hourMs = 3_600_000
const zero = 48
const minus = 45
const dot = 46
const colon = 58
const letterZ = 90

/** The bytes of an ASCII text, made once for texts that every message repeats. */
export function asciiBytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}

/** A writer for texts of at most `capacity` bytes; one text at a time. */
export function createMessageWriter(capacity = 4096): MessageWriter {
  const buffer = Buffer.alloc(capacity)
  let length = 0
  let hour = Number.NaN
  let hourText: Uint8Array = new Uint8Array(0)

  function bytes(text: Uint8Array): void {
    for (let i = 0; i < text.length; i++) buffer[length + i] = text[i]!
    length += text.length
  }

  /** Digits of a whole number below 2^31, with leading zeros up to `width`. */
  function digits(value: number, width: number): void {
    let count = width
    for (let limit = 10 ** width; value >= limit; limit *= 10) count += 1
    let rest = value | 0
    for (let at = length + count - 1; at >= length; at--) {
      const tenth = (rest / 10) | 0
      buffer[at] = zero + rest - tenth * 10
      rest = tenth
    }
    length += count
  }

  function decimal(value: number): void {
    const hundredths = Math.round(Math.abs(value) * 100)
    const whole = Math.floor(hundredths / 100)
    const fraction = hundredths - whole * 100
    if (value < 0 && hundredths > 0) buffer[length++] = minus
    digits(whole, 1)
    if (fraction === 0) return
    buffer[length++] = dot
    if (fraction % 10 === 0) buffer[length++] = zero + fraction / 10
    else digits(fraction, 2)
  }

  function instant(timeMs: number): void {
    const newHour = Math.floor(timeMs / hourMs)
    if (newHour !== hour) {
      hour = newHour
      hourText = asciiBytes(new Date(hour * hourMs).toISOString().slice(0, 14))
    }
    const rest = timeMs - hour * hourMs
    const minute = Math.floor(rest / 60_000)
    const second = Math.floor((rest - minute * 60_000) / 1000)
    bytes(hourText)
    digits(minute, 2)
    buffer[length++] = colon
    digits(second, 2)
    buffer[length++] = dot
    digits(rest - minute * 60_000 - second * 1000, 3)
    buffer[length++] = letterZ
  }
  return {
    begin: () => {
      length = 0
    },
    bytes,
    decimal,
    instant,
    finish: () => buffer.toString('latin1', 0, length),
  }
}
