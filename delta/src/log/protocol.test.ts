import { expect, test } from 'vitest'
import { LogCorrupt, UnsupportedFeature } from '../errors.ts'
import { schemaOf } from '../scratch.testing.ts'
import type { Protocol } from './actions.ts'
import { checkReadable, checkWallClockColumns } from './protocol.ts'

const plain: Protocol = { minReaderVersion: 1, minWriterVersion: 2 }
const modern = (readerFeatures: readonly string[], writerFeatures = readerFeatures): Protocol => ({
  minReaderVersion: 3,
  minWriterVersion: 7,
  readerFeatures,
  writerFeatures,
})

test('an unknown reader feature is refused by its name', () => {
  expect(() => checkReadable(modern(['variantType']), 't')).toThrow(/variantType/)
  expect(() => checkReadable({ ...plain, minReaderVersion: 99 }, 't')).toThrow(UnsupportedFeature)
  expect(() => checkReadable(modern(['catalogManaged', 'deletionVectors', 'warp']), 't')).toThrow(
    /reading needs catalogManaged, warp,/,
  )
})

test('the features that are there are let through', () => {
  checkReadable(plain, 't')
  checkReadable({ minReaderVersion: 2, minWriterVersion: 5 }, 't')
  checkReadable(modern(['timestampNtz', 'columnMapping', 'deletionVectors']), 't')
  checkReadable(modern(['typeWidening', 'typeWidening-preview', 'v2Checkpoint']), 't')
  checkReadable({ ...plain, minWriterVersion: 7, writerFeatures: ['unheardOf'] }, 't')
})

test.each([
  ['reader 3 below writer 7', { minReaderVersion: 3, minWriterVersion: 5, readerFeatures: [] }],
  ['reader 3 without its list', { ...modern([]), readerFeatures: undefined }],
  ['writer 7 without its list', { minReaderVersion: 1, minWriterVersion: 7 }],
  [
    'a reader list at reader 1',
    { ...plain, minWriterVersion: 7, readerFeatures: [], writerFeatures: [] },
  ],
  ['a reader feature that is no writer feature', modern(['timestampNtz'], ['appendOnly'])],
])('%s is a contradiction', (_what, { readerFeatures, ...rest }) => {
  const protocol = readerFeatures === undefined ? rest : { ...rest, readerFeatures }
  expect(() => checkReadable(protocol, 't')).toThrow(LogCorrupt)
})

test('a wall-clock column needs its feature', () => {
  const wallClock = schemaOf({ nested: schemaOf({ at: 'timestamp_ntz' }) })
  expect(() => checkWallClockColumns(plain, wallClock, 't')).toThrow(/column nested/)
  checkWallClockColumns(modern(['timestampNtz']), wallClock, 't')
})
