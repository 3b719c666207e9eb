import { InvalidSchema } from '../errors.ts'
import type { DeltaField } from '../schema/schema.ts'
import { schemaString, typeText } from '../schema/schema.ts'
import { checkNewSchema } from '../schema/schema-rules.ts'
import type { Metadata } from './actions.ts'
import type { Snapshot } from './replay.ts'
import { checkProperties } from './table-properties.ts'

/**
 * The metadata with further columns, put before the partition columns at the end. The same object if
 * every column is there already with its type.
 * @throws InvalidSchema
 */
export function withAddedColumns(
  snapshot: Snapshot,
  fields: readonly DeltaField[],
  table: string,
): Metadata {
  const existing = new Map(snapshot.schema.fields.map((field) => [field.name, field]))
  const added = fields.filter((field) => {
    const same = existing.get(field.name)
    if (same === undefined) return true
    if (typeText(same.type) === typeText(field.type)) return false
    throw new InvalidSchema({
      table,
      where: `column ${field.name}`,
      what: 'exists with another type',
      expected: typeText(field.type),
      found: typeText(same.type),
      fix: 'choose another name, or rewrite the table',
    })
  })
  if (added.length === 0) return snapshot.metadata
  const isPartition = (field: DeltaField) => snapshot.partitionColumns.includes(field.name)
  const { fields: current } = snapshot.schema
  const firstOfTail = current.findLastIndex((field) => !isPartition(field)) + 1
  const schema = {
    type: 'struct' as const,
    fields: [...current.slice(0, firstOfTail), ...added, ...current.slice(firstOfTail)],
  }
  checkAddedFields(snapshot, added, table)
  return { ...snapshot.metadata, schemaString: schemaString(schema) }
}

/**
 * The metadata with properties set, or taken away where the value is null. The same object if nothing
 * changes.
 * @throws InvalidProperty
 */
export function withProperties(
  snapshot: Snapshot,
  properties: Readonly<Record<string, string | null>>,
  table: string,
): Metadata {
  const { configuration: current } = snapshot.metadata
  const changed = Object.entries(properties).some(
    ([name, value]) => (current[name] ?? null) !== value,
  )
  if (!changed) return snapshot.metadata
  const present = (values: Readonly<Record<string, string | null>>) =>
    Object.fromEntries(
      Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== null),
    )
  // What other writers have set is theirs; only the change is checked.
  checkProperties(present(properties), table)
  return { ...snapshot.metadata, configuration: present({ ...current, ...properties }) }
}

/** The new columns by our rules; the old ones are what they are. */
function checkAddedFields(snapshot: Snapshot, added: readonly DeltaField[], table: string): void {
  const wallClock = snapshot.protocol.readerFeatures?.includes('timestampNtz') === true
  checkNewSchema({ type: 'struct', fields: added }, [], table, { wallClock })
  const taken = new Set(snapshot.schema.fields.map(({ name }) => name.toLowerCase()))
  const twice = added.find(({ name }) => taken.has(name.toLowerCase()))
  if (twice === undefined) return
  throw new InvalidSchema({
    table,
    where: `column ${twice.name}`,
    what: 'exists in another spelling, and names differ by more than case',
    fix: 'choose another name',
  })
}
