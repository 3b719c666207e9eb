import { LogCorrupt, UnsupportedFeature } from '../errors.ts'
import type { DeltaSchema } from '../schema/schema.ts'
import { holds } from '../schema/schema.ts'
import type { Protocol } from './actions.ts'

/** What every table of ours is created with: engines since 2019 read and write it. */
export const createdProtocol: Protocol = { minReaderVersion: 1, minWriterVersion: 2 }

/** Reader features of the protocol that this library has; `-preview` is how older engines spell them. */
const readableFeatures: ReadonlySet<string> = new Set([
  'columnMapping',
  'deletionVectors',
  'timestampNtz',
  'typeWidening',
  'typeWidening-preview',
  'v2Checkpoint',
  'vacuumProtocolCheck',
])

/**
 * Refuses tables that cannot be read rightly.
 * @throws UnsupportedFeature naming every feature that is missing here
 * @throws LogCorrupt if the protocol action contradicts itself
 */
export function checkReadable(protocol: Protocol, table: string): void {
  checkConsistent(protocol, table)
  const unknown = (protocol.readerFeatures ?? []).filter((name) => !readableFeatures.has(name))
  if (protocol.minReaderVersion > 3) unknown.push(`reader version ${protocol.minReaderVersion}`)
  if (unknown.length === 0) return
  throw new UnsupportedFeature({
    table,
    where: 'protocol',
    what: `reading needs ${unknown.join(', ')}`,
    expected: `at most ${[...readableFeatures].join(', ')}`,
    fix: 'read it with another engine, or rewrite it without the feature',
  })
}

/**
 * Refuses a wall-clock column in a table that does not say so: its values would be taken for instants.
 * @throws UnsupportedFeature naming the column
 */
export function checkWallClockColumns(
  protocol: Protocol,
  schema: DeltaSchema,
  table: string,
): void {
  if (protocol.readerFeatures?.includes('timestampNtz')) return
  const column = schema.fields.find(({ type }) => holds(type, 'timestamp_ntz'))
  if (column === undefined) return
  throw new UnsupportedFeature({
    table,
    where: `column ${column.name}`,
    what: 'timestamp_ntz without the feature timestampNtz in the protocol',
    fix: 'repair the protocol action with the engine that wrote it',
  })
}

/** Delta: "Table Features": which lists must, and must not, be there. */
function checkConsistent(protocol: Protocol, table: string): void {
  const { minReaderVersion, minWriterVersion, readerFeatures, writerFeatures } = protocol
  const problem =
    minReaderVersion === 3 && minWriterVersion < 7
      ? 'reader version 3 without writer version 7'
      : minReaderVersion === 3 && readerFeatures === undefined
        ? 'reader version 3 without readerFeatures'
        : minWriterVersion === 7 && writerFeatures === undefined
          ? 'writer version 7 without writerFeatures'
          : minReaderVersion < 3 && readerFeatures !== undefined
            ? 'readerFeatures below reader version 3'
            : readerFeatures?.find((name) => !(writerFeatures ?? []).includes(name))
  if (problem === undefined) return
  throw new LogCorrupt({
    table,
    where: 'protocol',
    what: 'contradicts itself',
    found: problem,
    fix: 'repair the protocol action with the engine that wrote it',
  })
}
