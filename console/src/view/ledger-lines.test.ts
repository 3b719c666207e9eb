import { expect, test } from 'vitest'
import { hourText, ledgerSentence, reasonLines, recoveredSentence } from './ledger-lines.ts'

const sums = {
  received: 10,
  recovered: 0,
  stored: 6,
  duplicate: 1,
  rejected: 3,
  reasons: { OVER_RATE: 1, INVALID_JSON: 2 },
  difference: 0,
}
const view = {
  as_of: '2026-11-21T08:00:00.000Z',
  total: sums,
  hours: [],
  devices: [],
  unbalanced_count: 0,
}

test('books that balance say so, and only when the log has been counted', () => {
  expect(ledgerSentence(view)).toBe('The books balance: every message is accounted for.')
  expect(ledgerSentence({ ...view, as_of: null })).toMatch('has not been counted yet')
})

test('two errors that cancel out in the sums are still told', () => {
  expect(ledgerSentence({ ...view, unbalanced_count: 2 })).toBe('2 hours of units do not balance.')
})

test('missing messages and surplus ones are told apart', () => {
  const missing = { ...view, total: { ...sums, difference: 1 }, unbalanced_count: 1 }
  expect(ledgerSentence(missing)).toBe(
    '1 message came in and cannot be found. 1 hour of a unit does not balance.',
  )
  const surplus = { ...view, total: { ...sums, difference: -2 }, unbalanced_count: 1 }
  expect(ledgerSentence(surplus)).toMatch('2 messages more than came in.')
})

test('reasons stand by frequency, recovered counts and hours are named', () => {
  expect(reasonLines(sums).map(({ reason }) => reason)).toEqual(['INVALID_JSON', 'OVER_RATE'])
  expect(recoveredSentence(sums)).toBe('')
  expect(recoveredSentence({ ...sums, recovered: 3 })).toMatch('3 of them')
  expect(hourText('2026-11-21T08:00:00.000Z')).toBe('21 Nov 08:00')
})
