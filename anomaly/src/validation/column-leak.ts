import { invalidOption } from '../errors.ts'
import type { FeatureMatrix } from '../feature-matrix.ts'
import { auroc } from '../metrics/ranking-metrics.ts'
import { leakage, type RowSplit } from './row-split.ts'

/**
 * Refuses a table in which one column alone, or the mere fact that it is missing, tells the label:
 * mostly a value that is written after the event (repair codes, reset counters).
 * @param labels 1 or 0 per row
 * @param maxAuroc highest AUROC, either way, that a single column may reach; default 0.999
 * @throws LEAKAGE naming the column; ONE_CLASS, SHAPE_MISMATCH, INVALID_OPTION
 * Cost O(columns · rows log rows).
 */
export function requireNoTellingColumn(
  { values, rowCount, columnNames }: FeatureMatrix,
  labels: ArrayLike<number>,
  maxAuroc = 0.999,
): void {
  if (!(maxAuroc > 0.5 && maxAuroc <= 1)) throw invalidOption('maxAuroc', 'in (0.5, 1]', maxAuroc)
  const columnCount = columnNames.length
  for (const [column, name] of columnNames.entries()) {
    const cells = Float64Array.from(
      { length: rowCount },
      (_, r) => values[r * columnCount + column]!,
    )
    const isMissing = cells.map((cell) => Number(Number.isNaN(cell)))
    const lowest = cells.map((cell) => (Number.isNaN(cell) ? -Number.MAX_VALUE : cell))
    const found = [auroc(labels, isMissing), auroc(labels, lowest)]
    for (const [form, area] of found.entries()) {
      const strength = Math.max(area, 1 - area)
      if (strength <= maxAuroc) continue
      const what = form === 0 ? `that column ${name} is missing` : `column ${name} alone`
      throw leakage(`${what} tells the label with AUROC ${strength}`, { column: name, strength })
    }
  }
}

/**
 * Refuses a split in which a test row has the very cells of a training row: a copy, a row joined
 * twice, or over-sampling before the split.
 * @throws LEAKAGE naming both rows
 * Cost O(cells), memory of one text per training row.
 */
export function requireNoRepeatedRow(
  { values, columnNames }: FeatureMatrix,
  { trainRows, testRows }: RowSplit,
): void {
  const columnCount = columnNames.length
  const keyOf = (row: number) =>
    values.subarray(row * columnCount, (row + 1) * columnCount).join(' ')
  const trained = new Map(Array.from(trainRows, (row) => [keyOf(row), row]))
  for (const row of testRows) {
    const same = trained.get(keyOf(row))
    if (same !== undefined) {
      throw leakage(`test row ${row} repeats training row ${same}`, {
        testRow: row,
        trainRow: same,
      })
    }
  }
}
