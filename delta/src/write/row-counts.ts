import { parseStatistics } from '../data/statistics.ts'
import type { AddFile } from '../log/actions.ts'

/** Rows of a file without those its deletion vector takes away; undefined without statistics. */
export function liveRowCount(file: AddFile): number | undefined {
  const physical = parseStatistics(file)?.numRecords
  return physical === undefined ? undefined : physical - (file.deletionVector?.cardinality ?? 0)
}

/** Rows of all the files; those without statistics count as none. */
export function totalRowCount(files: readonly AddFile[]): number {
  return files.reduce((sum, file) => sum + (liveRowCount(file) ?? 0), 0)
}

/** Counts of a write for the table's history. */
export function outputMetrics(adds: readonly AddFile[]): Readonly<Record<string, number>> {
  return {
    numFiles: adds.length,
    numOutputRows: totalRowCount(adds),
    numOutputBytes: adds.reduce((sum, { size }) => sum + size, 0),
  }
}
