import { TableNotWritable } from '../errors.ts'
import type { DeltaField, DeltaSchema, DeltaType } from '../schema/schema.ts'
import type { Metadata, Protocol } from './actions.ts'

/**
 * Writer features that this library keeps right: by its own work (`appendOnly`, `inCommitTimestamp`,
 * `timestampNtz`, `domainMetadata`), by rewriting files instead of marking rows (`deletionVectors`),
 * or by doing nothing as long as no property or column makes the feature active (the others).
 */
const keptFeatures: ReadonlySet<string> = new Set([
  'allowColumnDefaults',
  'appendOnly',
  'changeDataFeed',
  'checkConstraints',
  'columnMapping',
  'deletionVectors',
  'domainMetadata',
  'generatedColumns',
  'identityColumns',
  'inCommitTimestamp',
  'invariants',
  'timestampNtz',
  'typeWidening',
  'typeWidening-preview',
  'v2Checkpoint',
  'vacuumProtocolCheck',
])

/** Column metadata that a writer would have to evaluate or fill in. */
const columnRules: readonly RegExp[] = [
  /^delta\.invariants$/,
  /^delta\.generationExpression$/,
  /^delta\.identity\./,
  /^CURRENT_DEFAULT$/,
]

/**
 * Refuses tables that cannot be written rightly, and changes their owner has switched off.
 * @throws TableNotWritable naming the feature or property
 */
export function checkWritable(
  protocol: Protocol,
  metadata: Metadata,
  schema: DeltaSchema,
  table: string,
  change: { readonly deletesRows: boolean },
): void {
  const reasons = [...featureBarriers(protocol), ...propertyBarriers(metadata, change)]
  for (const field of schema.fields) collectColumnBarriers(field, field.name, true, reasons)
  refuse(table, reasons)
}

/**
 * Refuses tables with a writer version or feature that is unknown here; enough for VACUUM.
 * Delta: "vacuumProtocolCheck".
 * @throws TableNotWritable naming the feature
 */
export function checkWriterFeatures(protocol: Protocol, table: string): void {
  refuse(table, featureBarriers(protocol))
}

function refuse(table: string, reasons: readonly string[]): void {
  if (reasons.length === 0) return
  throw new TableNotWritable({
    table,
    where: 'protocol',
    what: `writing is held back by ${reasons.join(', ')}`,
    fix: 'write it with an engine that has these, or drop them from the table',
  })
}

function featureBarriers(protocol: Protocol): string[] {
  if (protocol.minWriterVersion > 7) return [`writer version ${protocol.minWriterVersion}`]
  return (protocol.writerFeatures ?? [])
    .filter((name) => !keptFeatures.has(name))
    .map((name) => `feature ${name}`)
}

function propertyBarriers(
  metadata: Metadata,
  { deletesRows }: { readonly deletesRows: boolean },
): string[] {
  const { configuration } = metadata
  const isOn = (name: string) => configuration[name]?.toLowerCase() === 'true'
  const reasons = Object.keys(configuration).filter((name) => name.startsWith('delta.constraints.'))
  if ((configuration['delta.columnMapping.mode'] ?? 'none') !== 'none') {
    reasons.push('delta.columnMapping.mode')
  }
  if (isOn('delta.enableRowTracking')) reasons.push('delta.enableRowTracking=true')
  if (deletesRows && isOn('delta.appendOnly')) reasons.push('delta.appendOnly=true')
  if (deletesRows && isOn('delta.enableChangeDataFeed')) {
    reasons.push('delta.enableChangeDataFeed=true')
  }
  return reasons
}

/** A required field inside an optional struct has null counts that say nothing, so it is refused. */
function collectColumnBarriers(
  field: DeltaField,
  name: string,
  parentsAreRequired: boolean,
  reasons: string[],
): void {
  for (const key of Object.keys(field.metadata)) {
    if (columnRules.some((rule) => rule.test(key))) reasons.push(`${key} of column ${name}`)
  }
  if (!field.nullable && !parentsAreRequired) reasons.push(`nullable:false of field ${name}`)
  if (!isStruct(field.type)) return
  const areRequired = parentsAreRequired && !field.nullable
  for (const inner of field.type.fields) {
    collectColumnBarriers(inner, `${name}.${inner.name}`, areRequired, reasons)
  }
}

function isStruct(type: DeltaType): type is DeltaSchema {
  return typeof type !== 'string' && type.type === 'struct'
}
