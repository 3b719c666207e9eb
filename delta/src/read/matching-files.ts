import { localRoot } from '../data/write-files.ts'
import type { AddFile } from '../log/actions.ts'
import type { Snapshot } from '../log/replay.ts'
import { mappingMode, physicalName } from '../schema/column-mapping.ts'
import type { DeltaTable } from '../table.ts'
import type { Predicate } from '../write/predicate.ts'
import { predicateField } from '../write/predicate.ts'
import { mayMatch } from '../write/predicate-files.ts'

/**
 * The files that may hold a row that meets the condition, by partition values and statistics. Where
 * the table maps columns, those are kept under the columns' physical names.
 * @param trustsStatistics false to go by partition values alone
 * @throws InvalidPredicate for an unknown column or a value of another type
 */
export function matchingFiles(
  table: DeltaTable,
  snapshot: Snapshot,
  predicate: Predicate,
  files: readonly AddFile[] = snapshot.files,
  trustsStatistics = true,
): readonly AddFile[] {
  const isWanted = fileTest(table, snapshot, predicate)
  if (trustsStatistics) return files.filter(isWanted)
  return files.filter(({ stats: _, ...file }) => isWanted(file))
}

function fileTest(
  table: DeltaTable,
  snapshot: Snapshot,
  predicate: Predicate,
): (file: AddFile) => boolean {
  const root = localRoot(table.store)
  const { schema, partitionColumns } = snapshot
  const mode = mappingMode(snapshot, root)
  if (mode === 'none') return (file) => mayMatch(file, predicate, snapshot)
  const physicalOf = (name: string) => physicalName(predicateField(name, schema, root), mode)
  const shape = {
    schema: {
      ...schema,
      fields: schema.fields.map((field) => ({ ...field, name: physicalName(field, mode) })),
    },
    partitionColumns: partitionColumns.map(physicalOf),
  }
  const physical = renamed(predicate, physicalOf)
  return (file) => mayMatch(file, physical, shape)
}

function renamed(predicate: Predicate, physicalOf: (name: string) => string): Predicate {
  if ('sql' in predicate) return predicate
  if ('not' in predicate) return { not: renamed(predicate.not, physicalOf) }
  if ('and' in predicate) return { and: predicate.and.map((part) => renamed(part, physicalOf)) }
  if ('or' in predicate) return { or: predicate.or.map((part) => renamed(part, physicalOf)) }
  return { ...predicate, column: physicalOf(predicate.column) }
}
