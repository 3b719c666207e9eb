import { type AddFile, parseStatistics } from '@isotherm/delta'
import type { LakeTable } from '../lake/index.ts'

/** The data files one version of a table added. */
export type VersionFiles = {
  readonly version: number
  readonly files: readonly AddFile[]
  readonly rowCount: number
}

/**
 * The files each of the versions (from, to] added, asked for one by one: files that a later
 * compaction took out of the table are still there until VACUUM, and no row is seen twice.
 */
export async function filesByVersion(
  table: LakeTable,
  from: number,
  to: number,
): Promise<readonly VersionFiles[]> {
  const found: VersionFiles[] = []
  for (let version = from + 1; version <= to; version++) {
    const files = await table.addedFiles(version - 1, version)
    found.push({ version, files, rowCount: countRows(files) })
  }
  return found
}

/** Rows in files by their statistics; files without count as empty. */
export function countRows(files: readonly AddFile[]): number {
  return files.reduce((sum, file) => sum + (parseStatistics(file)?.numRecords ?? 0), 0)
}

/** Span of a timestamp column in a file, epoch ms, both ends included; endless if not known. */
export function timeSpan(
  file: AddFile,
  column: string,
): { readonly minMs: number; readonly maxMs: number } {
  const statistics = parseStatistics(file)
  const bound = (value: unknown) => (typeof value === 'string' ? Date.parse(value) : Number.NaN)
  const minMs = bound(statistics?.minValues.get(column))
  const maxMs = bound(statistics?.maxValues.get(column))
  return {
    minMs: Number.isNaN(minMs) ? Number.NEGATIVE_INFINITY : minMs,
    // Statistics are cut to milliseconds, so the true maximum may lie up to 1 ms later.
    maxMs: Number.isNaN(maxMs) ? Number.POSITIVE_INFINITY : maxMs + 1,
  }
}
