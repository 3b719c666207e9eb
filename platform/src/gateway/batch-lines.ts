/** A batch as consecutive messages, or why it cannot be taken apart. */
export type BatchSplit =
  | {
      readonly kind: 'split'
      readonly starts: Int32Array
      readonly ends: Int32Array
      readonly lines: Int32Array
      readonly count: number
    }
  | { readonly kind: 'malformed'; readonly problem: string }

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

class Spans {
  starts = new Int32Array(1_024)
  ends = new Int32Array(1_024)
  lines = new Int32Array(1_024)
  count = 0

  add(start: number, end: number, line: number): void {
    if (this.count === this.starts.length) {
      this.starts = doubled(this.starts)
      this.ends = doubled(this.ends)
      this.lines = doubled(this.lines)
    }
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.lines[this.count] = line
    this.count++
  }

  finish(): BatchSplit {
    const { starts, ends, lines, count } = this
    return { kind: 'split', starts, ends, lines, count }
  }
}

function doubled(values: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(values.length * 2)
  larger.set(values)
  return larger
}

function splitLines(body: Buffer): BatchSplit {
  const spans = new Spans()
  let start = 0
  for (let line = 1; start < body.length; line++) {
    const found = body.indexOf(0x0a, start)
    const next = found < 0 ? body.length : found
    let from = start
    let to = next
    while (from < to && isBlank(body[from]!)) from++
    while (to > from && isBlank(body[to - 1]!)) to--
    if (to > from) spans.add(from, to, line)
    start = next + 1
  }
  return spans.finish()
}

/** Position after a string that begins after `at`, or the end. */
function afterString(body: Buffer, at: number): number {
  for (let i = at + 1; i < body.length; i++) {
    if (body[i] === 0x5c) i++
    else if (body[i] === 0x22) return i + 1
  }
  return body.length
}

/** Elements are only told apart here; whether each is JSON is the decoder's question. */
function splitArray(body: Buffer, open: number): BatchSplit {
  const spans = new Spans()
  const malformed = (problem: string): BatchSplit => ({ kind: 'malformed', problem })
  let depth = 0
  let start = open + 1
  let at = start
  let isClosed = false
  const take = (end: number): boolean => {
    let from = start
    let to = end
    while (from < to && isBlank(body[from]!)) from++
    while (to > from && isBlank(body[to - 1]!)) to--
    if (to > from) spans.add(from, to, spans.count + 1)
    return to > from
  }
  while (at < body.length && !isClosed) {
    const byte = body[at]!
    if (byte === 0x22) {
      at = afterString(body, at)
      continue
    }
    if (byte === 0x7b || byte === 0x5b) depth++
    else if (byte === 0x7d || (byte === 0x5d && depth > 0)) depth--
    else if (depth === 0 && byte === 0x2c) {
      if (!take(at)) return malformed(`no array element before byte ${at}`)
      start = at + 1
    } else if (byte === 0x5d) {
      if (!take(at) && spans.count > 0) return malformed(`no array element before byte ${at}`)
      isClosed = true
    }
    if (depth < 0) return malformed(`a closing brace without its opening one at byte ${at}`)
    at++
  }
  if (!isClosed) return malformed('the end inside the array')
  for (; at < body.length; at++) if (!isBlank(body[at]!)) return malformed('more after the array')
  return spans.finish()
}

/** Takes a body apart: a JSON array of messages, or one message per line. */
export function splitBatch(body: Buffer): BatchSplit {
  let at = 0
  while (at < body.length && isBlank(body[at]!)) at++
  return body[at] === 0x5b ? splitArray(body, at) : splitLines(body)
}
