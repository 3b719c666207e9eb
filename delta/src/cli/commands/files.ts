import { decodeLogPath } from '../../data/file-path.ts'
import { parseStatistics } from '../../data/statistics.ts'
import { matchingFiles } from '../../read/matching-files.ts'
import { mappingMode, physicalName } from '../../schema/column-mapping.ts'
import type { Command } from '../command.ts'
import { predicateOf, whereOption } from '../where.ts'

/** The data files of a table. */
export const filesCommand: Command = {
  name: 'files',
  words: 'TABLE',
  summary: 'list the data files of a table with sizes, rows and partition values',
  details: ['With --where it lists the files that a query with this condition would open.'],
  travels: true,
  options: { where: whereOption },
  wordCount: 0,
  run: async ({ given, output, openTable, at }) => {
    const table = await openTable()
    const snapshot = await table.snapshot(at)
    const where = predicateOf(given.list('where'), snapshot.schema)
    const files =
      where === undefined ? snapshot.files : matchingFiles(table, snapshot, where, snapshot.files)
    const mode = mappingMode(snapshot, table.store.location)
    const partitions = snapshot.schema.fields
      .filter(({ name }) => snapshot.partitionColumns.includes(name))
      .map((field) => [field.name, physicalName(field, mode)] as const)
    const lines = files.map((file) => ({
      path: decodeLogPath(file.path, table.store.location),
      sizeBytes: file.size,
      rowCount: parseStatistics(file)?.numRecords,
      deleted: file.deletionVector?.cardinality,
      values: Object.fromEntries(
        partitions.map(([name, key]) => [name, file.partitionValues[key] ?? null]),
      ),
    }))
    for (const { path, sizeBytes, rowCount, deleted, values } of lines) {
      output.json({
        path,
        sizeBytes,
        rowCount,
        deletedRowCount: deleted,
        partitionValues: values,
      })
    }
    const hasDeleted = lines.some(({ deleted }) => deleted !== undefined)
    output.table(
      lines.map(({ path, sizeBytes, rowCount, deleted, values }) => ({
        path,
        bytes: sizeBytes,
        rows: rowCount,
        ...(hasDeleted ? { deleted } : {}),
        ...values,
      })),
    )
    return 0
  },
}
