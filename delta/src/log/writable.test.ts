import { expect, test } from 'vitest'
import { TableNotWritable } from '../errors.ts'
import { schemaString } from '../schema/schema.ts'
import { schemaOf } from '../scratch.testing.ts'
import type { Metadata, Protocol } from './actions.ts'
import { checkWritable, checkWriterFeatures } from './writable.ts'

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

test.each([
  ['an unknown writer feature', modern([], ['rowTracking']), {}, false, /rowTracking/],
  ['a constraint', plain, { 'delta.constraints.positive': 'id > 0' }, false, /positive/],
  ['append-only and a deletion', plain, { 'delta.appendOnly': 'true' }, true, /appendOnly/],
  [
    'a change feed and a deletion',
    plain,
    { 'delta.enableChangeDataFeed': 'true' },
    true,
    /ChangeData/,
  ],
] as const)('%s holds a write back', (_what, protocol, configuration, deletesRows, message) => {
  const check = () => checkWritable(protocol, metadata(configuration), schema, 't', { deletesRows })
  expect(check).toThrow(TableNotWritable)
  expect(check).toThrow(message)
})

test('appends to append-only tables and tables with a change feed are fine', () => {
  const configuration = { 'delta.appendOnly': 'true', 'delta.enableChangeDataFeed': 'true' }
  checkWritable(plain, metadata(configuration), schema, 't', { deletesRows: false })
})

test('columns with rules that need SQL hold a write back', () => {
  const ruled = schemaOf({ id: 'long' }).fields.map((field) => ({
    ...field,
    metadata: { 'delta.invariants': '{}' },
  }))
  const check = () =>
    checkWritable(plain, metadata(), { type: 'struct', fields: ruled }, 't', { deletesRows: false })
  expect(check).toThrow(/delta.invariants of column id/)
})

test('a required field is fine at the top and below required structs, and nowhere else', () => {
  const required = (fields: Parameters<typeof schemaOf>[0]) =>
    schemaOf(fields).fields.map((field) => ({ ...field, nullable: false }))
  const inner = { type: 'struct' as const, fields: required({ x: 'long' }) }
  const check = (fields: ReturnType<typeof required>) =>
    checkWritable(plain, metadata(), { type: 'struct', fields }, 't', { deletesRows: false })
  check(required({ id: 'long', point: inner }))
  expect(() => check([...schemaOf({ point: inner }).fields])).toThrow(/field point.x/)
})

test('VACUUM is held back by unknown writer features only', () => {
  checkWriterFeatures(modern([], ['checkConstraints', 'vacuumProtocolCheck']), 't')
  expect(() => checkWriterFeatures(modern([], ['clustering']), 't')).toThrow(/clustering/)
  expect(() => checkWriterFeatures({ ...plain, minWriterVersion: 8 }, 't')).toThrow(/version 8/)
})
