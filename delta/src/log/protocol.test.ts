import { expect, test } from 'vitest'
import { LogCorrupt, UnsupportedFeature } from '../errors.ts'
import { schemaString } from '../schema/schema.ts'
import { schemaOf } from '../scratch.testing.ts'
import type { Metadata, Protocol } from './actions.ts'
import { checkReadable, checkWallClockColumns } from './protocol.ts'

const schema = schemaOf({ id: 'long' })
const metadata = (configuration: Readonly<Record<string, string>> = {}): Metadata => ({
  id: 'x',
  schemaString: schemaString(schema),
  partitionColumns: [],
  configuration,
})
const plain: Protocol = { minReaderVersion: 1, minWriterVersion: 2 }
const modern = (readerFeatures: readonly string[], writerFeatures = readerFeatures): Protocol => ({
  minReaderVersion: 3,
  minWriterVersion: 7,
  readerFeatures,
  writerFeatures,
})

test('an unknown reader feature is refused by its name', () => {
  expect(() => checkReadable(modern(['variantType']), metadata(), 't')).toThrow(/variantType/)
  expect(() => checkReadable({ ...plain, minReaderVersion: 99 }, metadata(), 't')).toThrow(
    UnsupportedFeature,
  )
  const mapped = metadata({ 'delta.columnMapping.mode': 'name' })
  expect(() => checkReadable({ minReaderVersion: 2, minWriterVersion: 5 }, mapped, 't')).toThrow(
    /columnMapping \(name\)/,
  )
  checkReadable({ minReaderVersion: 2, minWriterVersion: 5 }, metadata(), 't')
  checkReadable(modern(['timestampNtz']), metadata(), 't')
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
  expect(() => checkReadable(protocol, metadata(), 't')).toThrow(LogCorrupt)
})

test('a wall-clock column needs its feature', () => {
  const wallClock = schemaOf({ nested: schemaOf({ at: 'timestamp_ntz' }) })
  expect(() => checkWallClockColumns(plain, wallClock, 't')).toThrow(/column nested/)
  checkWallClockColumns(modern(['timestampNtz']), wallClock, 't')
})
