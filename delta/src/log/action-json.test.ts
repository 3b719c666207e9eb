import { expect, test } from 'vitest'
import { decodeLogPath, encodeLogPath } from '../data/file-path.ts'
import { LogCorrupt } from '../errors.ts'
import { actionLines, parseActions } from './action-json.ts'
import type { Actions } from './actions.ts'
import { parseInterval } from './interval.ts'
import { addOf } from './random-commits.testing.ts'

const origin = { table: 't', where: 'commit' }
const actions: Actions = {
  commitInfo: { timestamp: 5, operation: 'WRITE', isBlindAppend: true, txnId: 'x' },
  protocol: { minReaderVersion: 1, minWriterVersion: 2 },
  metadata: { id: 'i', schemaString: '{}', partitionColumns: ['day'], configuration: { a: 'b' } },
  transactions: [{ appId: 'app', version: 7, lastUpdated: 1 }],
  domains: [],
  removes: [
    { path: 'a', dataChange: false, deletionTimestamp: 3, partitionValues: { day: null }, size: 1 },
  ],
  adds: [{ ...addOf('b'), tags: { k: 'v' } }],
}

test('actions survive the way through the log', () => {
  expect(parseActions(actionLines(actions), origin)).toEqual(actions)
})

test('blank lines, unknown actions and keys, explicit nulls and CRLF are accepted', () => {
  const lines = [
    '',
    '{"sidecar":{"path":"x"}}\r',
    '{"add":{"path":"a","partitionValues":{"n":5,"e":""},"size":1,"modificationTime":2,"dataChange":true,"stats":null,"tags":null,"deletionVector":null,"novel":[1]}}\r',
    '   ',
  ]
  expect(parseActions(lines, origin).adds).toEqual([
    {
      path: 'a',
      partitionValues: { n: '5', e: null },
      size: 1,
      modificationTime: 2,
      dataChange: true,
    },
  ])
})

test.each([
  ['a torn line', ['{"add":{"path":"a"']],
  ['a line that is no object', ['[1]']],
  ['an add without a path', ['{"add":{"size":1}}']],
  ['two metaData', ['{"metaData":{"id":"a"}}', '{"metaData":{"id":"b"}}']],
  ['two protocols', Array(2).fill('{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}')],
])('%s is refused', (_what, lines) => {
  expect(() => parseActions(lines, origin)).toThrow(LogCorrupt)
})

test('a path is decoded once; absolute ones are left alone; one that climbs out is refused', () => {
  const doubly = 'as_timestamp=2021-09-08%2011%253A11%253A11/f.parquet'
  expect(decodeLogPath(doubly, 't')).toBe('as_timestamp=2021-09-08 11%3A11%3A11/f.parquet')
  expect(decodeLogPath('100% sure', 't')).toBe('100% sure')
  expect(decodeLogPath('file:///a/b%20c', 't')).toBe('/a/b c')
  expect(decodeLogPath('s3://bucket/x', 't')).toBe('s3://bucket/x')
  expect(() => decodeLogPath('a/%2E%2E/%2E%2E/secret', 't')).toThrow('leaves the folder')
  expect(encodeLogPath('day=a b/ü.parquet')).toBe('day=a%20b/%C3%BC.parquet')
})

test('intervals are read as table properties spell them', () => {
  expect(parseInterval('interval 30 days')).toBe(30 * 86_400_000)
  expect(parseInterval('interval 1 week 2 hours')).toBe(7 * 86_400_000 + 7_200_000)
  expect(parseInterval('168 hours')).toBe(7 * 86_400_000)
  for (const text of ['', 'soon', 'interval', 'interval 3', 'interval x days']) {
    expect(parseInterval(text)).toBeUndefined()
  }
})
