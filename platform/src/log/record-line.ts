import {
  IsothermError,
  type LogRecord,
  type NewRecord,
  type Protocol,
  type ReasonCode,
} from '../contracts/index.ts'

const lineFeed = 10
/** Envelope bytes besides the strings: braces, keys, quotes, four numbers of up to 20 digits. */
const envelopeBytes = 200
/** A UTF-16 unit becomes at most six bytes: a `\uXXXX` escape. */
const bytesPerUnit = 6
const needsEscape = /[^\x20\x21\x23-\x5b\x5d-\x7e]/
const outsideAscii = /[\u007f-\uffff]/g
const payloadMark = Buffer.from(',"p":')

/** A JSON string in ASCII. Lone surrogates are replaced: strict readers refuse the line else. */
function quoted(text: string): string {
  if (!needsEscape.test(text)) return `"${text}"`
  return JSON.stringify(text.toWellFormed()).replace(
    outsideAscii,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Upper bound of the bytes a record takes as a line. */
export function lineBound(record: NewRecord): number {
  const { body } = record
  const strings =
    record.deviceId.length +
    record.eventId.length +
    (record.messageId?.length ?? 0) +
    (record.properties?.length ?? 0)
  const own =
    body.kind === 'readable'
      ? body.payload.length + (body.unmapped?.length ?? 0) * bytesPerUnit
      : Math.ceil(body.payload.length / 3) * 4 + body.detail.length * bytesPerUnit
  return envelopeBytes + strings * bytesPerUnit + own
}

/**
 * Writes a record as one NDJSON line and returns the position after it; `target` has room for
 * `lineBound(record)` bytes.
 * @throws IsothermError INPUT_INVALID for a readable payload with a line break, which would end
 * the record early
 */
export function writeLine(target: Buffer, at: number, offset: number, record: NewRecord): number {
  const { body } = record
  let head = `{"o":${offset},"t":${record.ingestedAtMs},"d":${quoted(record.deviceId)},"e":${quoted(record.eventId)},"m":"${record.protocol}"`
  if (record.messageId !== undefined) head += `,"i":${quoted(record.messageId)}`
  if (record.properties !== undefined) head += `,"a":${quoted(record.properties)}`
  if (body.kind === 'refused') {
    const { buffer, byteOffset, length } = body.payload
    const base64 = Buffer.from(buffer, byteOffset, length).toString('base64')
    const line = `${head},"x":"${body.reason}","xd":${quoted(body.detail)},"b":"${base64}"}\n`
    return at + target.write(line, at, 'latin1')
  }
  const { payload } = body
  if (payload.includes(lineFeed)) {
    throw new IsothermError(
      'INPUT_INVALID',
      `log: the payload of ${record.deviceId} (event ${record.eventId}) has a line break; ` +
        'a record is one line: replace line breaks between JSON tokens by blanks',
    )
  }
  head += `,"f":"${body.format === 'wide' ? 'w' : 'n'}","s":${body.deviceTimeMs}`
  if (body.unmapped !== undefined) head += `,"u":${quoted(body.unmapped)}`
  head += ',"p":'
  let position = at + target.write(head, at, 'latin1')
  target.set(payload, position)
  position += payload.length
  target[position] = 0x7d
  target[position + 1] = lineFeed
  return position + 2
}

type Envelope = {
  readonly o: number
  readonly t: number
  readonly d: string
  readonly e: string
  readonly m: Protocol
  readonly i?: string
  readonly a?: string
  readonly f?: 'w' | 'n'
  readonly s?: number
  readonly u?: string
  readonly x?: ReasonCode
  readonly xd?: string
  readonly b?: string
}

/**
 * Reads a line back. The payload keeps its bytes: it is cut out of the line, not parsed. The first
 * `,"p":` is the envelope's own, because quotes inside the strings before it are escaped.
 */
export function readLine(line: Buffer, partition: number): LogRecord {
  const mark = line.indexOf(payloadMark)
  const end = line[line.length - 1] === lineFeed ? line.length - 1 : line.length
  const isReadable = mark >= 0
  const head = isReadable ? `${line.toString('latin1', 0, mark)}}` : line.toString('latin1', 0, end)
  const envelope = JSON.parse(head) as Envelope
  const body: NewRecord['body'] = isReadable
    ? {
        kind: 'readable',
        format: envelope.f === 'n' ? 'narrow' : 'wide',
        deviceTimeMs: envelope.s ?? 0,
        payload: line.subarray(mark + payloadMark.length, end - 1),
        ...(envelope.u === undefined ? {} : { unmapped: envelope.u }),
      }
    : {
        kind: 'refused',
        reason: envelope.x ?? 'INVALID_JSON',
        detail: envelope.xd ?? '',
        payload: Buffer.from(envelope.b ?? '', 'base64'),
      }
  return {
    partition,
    offset: envelope.o,
    deviceId: envelope.d,
    eventId: envelope.e,
    ingestedAtMs: envelope.t,
    protocol: envelope.m,
    ...(envelope.i === undefined ? {} : { messageId: envelope.i }),
    ...(envelope.a === undefined ? {} : { properties: envelope.a }),
    body,
  }
}
