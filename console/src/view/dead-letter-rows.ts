import type { LetterCounts, LetterDetail, ReplayReply } from 'isotherm/http'
import type { LetterFilters } from './route.ts'

/** What an operator should know of a reason. */
const meanings: Readonly<Record<string, string>> = {
  INVALID_JSON: 'The message is no JSON',
  DUPLICATE_KEY: 'A key stands twice, so nobody can say which value counts',
  INVALID_ENCODING: 'The bytes are no UTF-8',
  MISSING_REQUIRED_FIELD: 'A field every message needs is missing',
  TYPE_MISMATCH: 'A value has the wrong type, such as text where a number belongs',
  INVALID_TIMESTAMP: 'The time cannot be read',
  IDENTITY_MISMATCH: 'The message names another device than the one that sent it',
  NO_KNOWN_SENSOR: 'None of the readings is of a sensor this fleet knows',
  UNKNOWN_SENSOR_TYPE: 'The sensor is not one of this fleet',
  UNIT_MISMATCH: 'The unit is not one of the sensor',
  UNSUPPORTED_SCHEMA_VERSION: 'The message is of a format that is not known',
  PAYLOAD_TOO_LARGE: 'The message is larger than 256 KiB',
  EMPTY_PAYLOAD: 'The message is empty',
  NESTED_TOO_DEEP: 'The JSON is nested too deep',
  NUMBER_OUT_OF_RANGE: 'A number is too large to be stored',
  ALL_SENSORS_NULL: 'No sensor has a value',
  RECORD_DAMAGED: 'Bytes of the record changed on the disk',
}

/** What a reason means, in a sentence. */
export function reasonMeaning(reason: string): string {
  return meanings[reason] ?? 'The message could not be read'
}

/** Letters of one reason. */
export type ReasonRow = {
  readonly reason: string
  readonly meaning: string
  readonly newCount: number
  readonly replayedCount: number
  readonly discardedCount: number
  readonly newestMs: number
  readonly sampleId: string
}

/** One row per reason: those with open letters first, the most frequent on top. */
export function reasonRows(counts: LetterCounts['counts']): readonly ReasonRow[] {
  const groups = Map.groupBy(counts, ({ reason }) => reason)
  const rows = [...groups].map(([reason, group]): ReasonRow => {
    const sum = (status: string) =>
      group.reduce((total, row) => total + (row.status === status ? row.count : 0), 0)
    const times = group.map(({ newest_at: at }) => Date.parse(at))
    const open = group.find(({ status }) => status === 'new') ?? group[0]
    return {
      reason,
      meaning: reasonMeaning(reason),
      newCount: sum('new'),
      replayedCount: sum('replayed'),
      discardedCount: sum('discarded'),
      newestMs: Math.max(...times),
      sampleId: open?.sample_id ?? '',
    }
  })
  const total = (row: ReasonRow) => row.replayedCount + row.discardedCount
  return rows.toSorted((a, b) => b.newCount - a.newCount || total(b) - total(a))
}

/** Query of the filters, as the API spells them. */
export function letterQuery({ reason, device, status }: LetterFilters): string {
  const query = new URLSearchParams()
  if (reason !== '') query.set('reason', reason)
  if (device !== '') query.set('device_id', device)
  if (status !== 'all') query.set('status', status)
  return query.toString()
}

/** Payload of a letter for people: as text, or that it is none. */
export type PayloadText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bytes'; readonly sizeBytes: number; readonly hex: string }

const shownBytes = 512

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}

/** The payload as text if it is UTF-8, else its first bytes. */
export function payloadText(letter: Pick<LetterDetail, 'payload_base64'>): PayloadText {
  const bytes = bytesOf(letter.payload_base64)
  const text = new TextDecoder('utf-8').decode(bytes)
  if (!text.includes('\ufffd')) return { kind: 'text', text }
  const hex = [...bytes.subarray(0, shownBytes)].map((byte) => byte.toString(16).padStart(2, '0'))
  return { kind: 'bytes', sizeBytes: bytes.length, hex: hex.join(' ') }
}

/** A text in the base64 the API takes. */
export function base64Of(text: string): string {
  const bytes = new TextEncoder().encode(text)
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/** What came of trying again, in a sentence. */
export function replaySentence(results: ReplayReply['results']): string {
  const stored = results.filter(({ result }) => result === 'replayed').length
  const refused = results.filter(({ result }) => result === 'refused')
  const reasons = Map.groupBy(refused, ({ reason }) => reason ?? 'unknown')
  const why = [...reasons].map(([reason, group]) => `${group.length} ${reason}`).join(', ')
  const storedText = stored === 1 ? '1 message was stored' : `${stored} messages were stored`
  if (results.length === 0) return 'There was nothing to try again'
  return refused.length === 0 ? storedText : `${storedText}, still refused: ${why}`
}
