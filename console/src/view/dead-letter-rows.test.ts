import { describe, expect, it } from 'vitest'
import {
  base64Of,
  letterQuery,
  payloadText,
  reasonMeaning,
  reasonRows,
  replaySentence,
} from './dead-letter-rows.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 1, 15, 10, minute)).toISOString()

describe('dead letters', () => {
  it('are one row per reason, open ones first, the most frequent on top', () => {
    const count = (reason: string, status: string, number: number, minute: number) => ({
      stage: 'decode',
      reason,
      status,
      count: number,
      newest_at: at(minute),
      sample_id: `${reason}-${status}`,
    })
    const rows = reasonRows([
      count('INVALID_JSON', 'replayed', 90, 9),
      count('TYPE_MISMATCH', 'new', 2, 1),
      count('INVALID_JSON', 'new', 5, 3),
      count('EMPTY_PAYLOAD', 'discarded', 7, 5),
    ])
    expect(rows.map(({ reason, newCount }) => [reason, newCount])).toEqual([
      ['INVALID_JSON', 5],
      ['TYPE_MISMATCH', 2],
      ['EMPTY_PAYLOAD', 0],
    ])
    expect(rows[0]).toMatchObject({
      replayedCount: 90,
      newestMs: Date.parse(at(9)),
      sampleId: 'INVALID_JSON-new',
    })
    expect(reasonRows([])).toEqual([])
    expect(reasonMeaning('NEW_IN_A_LATER_VERSION')).toBe('The message could not be read')
  })

  it('are asked for as the API spells its filters', () => {
    const none = { reason: '', device: '', status: 'all', letter: '' } as const
    expect(letterQuery(none)).toBe('')
    expect(letterQuery({ ...none, reason: 'INVALID_JSON', device: 'A/1', status: 'new' })).toBe(
      'reason=INVALID_JSON&device_id=A%2F1&status=new',
    )
  })

  it('show text as text, and bytes that are no text as bytes', () => {
    const text = '{"temperature":"4,5 °C"}'
    expect(payloadText({ payload_base64: base64Of(text) })).toEqual({ kind: 'text', text })
    expect(payloadText({ payload_base64: btoa('\xff\xfe\x00') })).toEqual({
      kind: 'bytes',
      sizeBytes: 3,
      hex: 'ff fe 00',
    })
  })

  it('say what came of trying again', () => {
    const stored = { id: 'a', result: 'replayed' } as const
    const refused = { id: 'b', result: 'refused', reason: 'INVALID_JSON' } as const
    expect(replaySentence([stored])).toBe('1 message was stored')
    expect(replaySentence([stored, stored, refused, refused])).toBe(
      '2 messages were stored, still refused: 2 INVALID_JSON',
    )
    expect(replaySentence([])).toBe('There was nothing to try again')
  })
})
