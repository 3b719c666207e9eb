import type { DeltaSchema, DeltaType } from '../schema/schema.ts'
import { unreachable } from '../schema/schema.ts'
import type { Metadata, Protocol } from './actions.ts'

/** Features that a table of ours can be given; each needs a newer protocol than (1, 2). */
export type TableFeature = 'timestampNtz' | 'inCommitTimestamp'

/** Features that readers must know too. */
const readerFeatures: ReadonlySet<string> = new Set<TableFeature>(['timestampNtz'])

/** What each writer version added, before features were listed. Delta: "Writer Version Requirements". */
const addedByVersion: readonly (readonly [number, readonly string[]])[] = [
  [2, ['appendOnly', 'invariants']],
  [3, ['checkConstraints']],
  [4, ['changeDataFeed', 'generatedColumns']],
  [5, ['columnMapping']],
  [6, ['identityColumns']],
]

/**
 * The protocol with further features, and with those its versions meant listed by name. The same
 * object if all are there. Delta: "Table Features for New and Existing Tables".
 */
export function withFeatures(protocol: Protocol, features: readonly TableFeature[]): Protocol {
  const listed = new Set(protocol.writerFeatures ?? impliedFeatures(protocol.minWriterVersion))
  const isDone = protocol.minWriterVersion === 7 && features.every((feature) => listed.has(feature))
  if (features.length === 0 || isDone) return protocol
  for (const feature of features) listed.add(feature)
  const needsReader = features.some((feature) => readerFeatures.has(feature))
  const isReader3 = protocol.minReaderVersion === 3 || needsReader
  const forReaders = new Set(protocol.readerFeatures ?? [])
  // Reader version 2 stood for column mapping.
  if (isReader3 && protocol.minReaderVersion === 2) forReaders.add('columnMapping')
  for (const feature of features) if (readerFeatures.has(feature)) forReaders.add(feature)
  return {
    minReaderVersion: isReader3 ? 3 : protocol.minReaderVersion,
    minWriterVersion: 7,
    ...(isReader3 ? { readerFeatures: [...forReaders].toSorted() } : {}),
    writerFeatures: [...listed].toSorted(),
  }
}

/** The features that the properties of a table make active. */
export function featuresOfProperties(
  configuration: Readonly<Record<string, string>>,
): readonly TableFeature[] {
  return hasInCommitTimestamps(configuration) ? ['inCommitTimestamp'] : []
}

/** True if every commit of the table carries its own time. Delta: "In-Commit Timestamps". */
export function hasInCommitTimestamps(configuration: Metadata['configuration']): boolean {
  return configuration['delta.enableInCommitTimestamps']?.toLowerCase() === 'true'
}

/** True if a field of the schema, at any depth, is a wall-clock time. */
export function holdsWallClock(schema: DeltaSchema): boolean {
  return schema.fields.some(({ type }) => typeHoldsWallClock(type))
}

function typeHoldsWallClock(type: DeltaType): boolean {
  if (typeof type === 'string') return type === 'timestamp_ntz'
  switch (type.type) {
    case 'decimal':
      return false
    case 'array':
      return typeHoldsWallClock(type.elementType)
    case 'map':
      return typeHoldsWallClock(type.keyType) || typeHoldsWallClock(type.valueType)
    case 'struct':
      return holdsWallClock(type)
    default:
      return unreachable(type)
  }
}

function impliedFeatures(minWriterVersion: number): readonly string[] {
  return addedByVersion.flatMap(([version, names]) => (minWriterVersion >= version ? names : []))
}
