import type { ReasonCode, RecordBody } from '../contracts/index.ts'

/** What a refused message keeps of its bytes, ING-23. */
export const maxKeptBytes = 262_144
const maxDetailLength = 1_000
const maxExcerptBytes = 120

/** The bytes [start, end) as printable text, shortened: an offending value for a reader. */
export function excerpt(bytes: Uint8Array, start: number, end: number): string {
  const last = Math.min(end, bytes.length, start + maxExcerptBytes)
  const text = Buffer.from(bytes.subarray(start, last))
    .toString('utf8')
    .replace(/[\p{Cc}\p{Cs}\ufffd]/gu, '\u00b7')
  return Math.min(end, bytes.length) > last ? `${text}...` : text
}

/** A refused body; payload and detail are cut to what is kept. */
export function refusedBody(reason: ReasonCode, detail: string, payload: Uint8Array): RecordBody {
  const kept = payload.length > maxKeptBytes ? payload.subarray(0, maxKeptBytes) : payload
  // A character takes at most three bytes per UTF-16 unit, so the text is cut by bytes.
  let text = detail
  while (Buffer.byteLength(text) > maxDetailLength)
    text = text.slice(0, Math.floor(text.length * 0.8))
  return { kind: 'refused', reason, detail: text, payload: kept }
}
