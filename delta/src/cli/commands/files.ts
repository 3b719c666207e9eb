import { decodeLogPath } from '../../data/file-path.ts'
import { parseStatistics } from '../../data/statistics.ts'
import { matchingFiles } from '../../read/matching-files.ts'
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
    const lines = files.map((file) => {
      const rowCount = parseStatistics(file)?.numRecords
      const deleted = file.deletionVector?.cardinality
      const path = decodeLogPath(file.path, table.store.location)
      return { path, sizeBytes: file.size, rowCount, deleted, values: file.partitionValues }
    })
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
        ...Object.fromEntries(
          snapshot.partitionColumns.map((name) => [name, values[name] ?? null] as const),
        ),
      })),
    )
    return 0
  },
}
