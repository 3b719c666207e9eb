import { invalidOption, shapeMismatch, tooFewRows } from '../errors.ts'
import { type FeatureMatrix, requireColumns } from '../feature-matrix.ts'
import { mapColumns } from '../sketches/matrix-columns.ts'
import { selectQuantiles } from '../sketches/value-cells.ts'
import { sortValues } from '../sketches/value-sort.ts'
import { type WeightedValues, weightedQuantile } from '../sketches/weighted-values.ts'
import { quantileOfSorted } from '../statistics/quantile.ts'
import {
  binFractions,
  DECILES,
  edgesOfDeciles,
  fractionsOfDeciles,
  modeOfSorted,
  modeOfWeighted,
  type PsiBins,
  weightedBinFractions,
} from './psi-bins.ts'

/** Binned reference of one column, small enough to be stored beside a model. */
export type PsiReference = {
  readonly bins: PsiBins
  /** Share of the reference in each bin, unsmoothed. */
  readonly fractions: Float64Array
  /** Reference values, NaN excluded. */
  readonly rowCount: number
}

/** Population stability index of a sample against a reference. */
export type PsiResult = {
  /** ≥ 0; 0.1 is worth a look, above 0.25 significant, above 1 another population. */
  readonly psi: number
  /** Expected size by chance alone: (B − 1)(1/n + 1/m). */
  readonly noiseFloor: number
  /** Share of the sample in each bin, unsmoothed. */
  readonly fractions: Float64Array
}

/**
 * Bins a reference by its deciles. Equal edges, the minimum and the maximum among them, are
 * merged; with fewer than 3 bins left the modal value and the rest are the two bins.
 * @param values NaN is excluded
 * @throws TOO_FEW_ROWS without a value
 * Cost O(n) for values without extreme skew, else O(n log n). Source: MON-12.
 */
export function psiReference(values: Float64Array): PsiReference {
  const present = withoutMissing(values)
  const rowCount = present.length
  if (rowCount === 0) throw tooFewRows('PSI reference', 1, 0)
  const { quantiles: deciles, countsBelow } = selectQuantiles(present, DECILES)
  const edges = edgesOfDeciles(deciles)
  if (edges === undefined) {
    const bins = { kind: 'modal', value: modeOfSorted(sortValues(present)) } as const
    return { bins, fractions: binFractions(bins, present), rowCount }
  }
  const fractions = fractionsOfDeciles(deciles, countsBelow, rowCount)
  return { bins: { kind: 'edges', edges }, fractions, rowCount }
}

/** `psiReference` of every column; NaN cells are excluded column by column. */
export function psiReferences(matrix: FeatureMatrix): PsiReference[] {
  return mapColumns(matrix, psiReference)
}

/**
 * PSI of every column of a table.
 * @param references `psiReferences` of a table with the columns `columnNames`
 * @throws COLUMN_MISMATCH, TOO_FEW_ROWS if a column has no value
 */
export function psiColumns(
  references: readonly PsiReference[],
  columnNames: readonly string[],
  current: FeatureMatrix,
): PsiResult[] {
  requireColumns(columnNames, current)
  if (references.length !== columnNames.length) {
    throw shapeMismatch('references.length', columnNames.length, references.length)
  }
  return mapColumns(current, (column, c) => psi(references[c]!, column))
}

/** `psiReference` of at least one value in ascending order without NaN. */
export function psiReferenceOfSorted(sorted: Float64Array): PsiReference {
  const edges = edgesOfDeciles(Float64Array.from(DECILES, (p) => quantileOfSorted(sorted, p)))
  const bins: PsiBins =
    edges === undefined ? { kind: 'modal', value: modeOfSorted(sorted) } : { kind: 'edges', edges }
  return { bins, fractions: binFractions(bins, sorted), rowCount: sorted.length }
}

/**
 * `psiReference` of the values behind a sketch. Edges and shares are those of the sketch: their
 * ranks are off by at most its `rankErrorBound`.
 * @param rowCount values behind the sketch
 */
export function psiReferenceOfWeighted(weighted: WeightedValues, rowCount: number): PsiReference {
  if (weighted.values.length === 0) throw tooFewRows('PSI reference', 1, 0)
  const edges = edgesOfDeciles(Float64Array.from(DECILES, (p) => weightedQuantile(weighted, p)))
  const bins: PsiBins =
    edges === undefined
      ? { kind: 'modal', value: modeOfWeighted(weighted) }
      : { kind: 'edges', edges }
  return { bins, fractions: weightedBinFractions(bins, weighted), rowCount }
}

/**
 * PSI = Σ (p − q) ln(p/q) over the reference's bins, both shares smoothed as (count + 0.5) /
 * (N + 0.5 B), so that an empty bin stays finite.
 * @param values the current sample; NaN is excluded
 * @throws TOO_FEW_ROWS without a value
 * Cost O(n log B).
 */
export function psi(reference: PsiReference, values: Float64Array): PsiResult {
  const current = withoutMissing(values)
  if (current.length === 0) throw tooFewRows('PSI', 1, 0)
  const fractions = binFractions(reference.bins, current)
  return psiOfFractions(reference, fractions, current.length)
}

/** PSI when the current sample is already binned: its shares per bin and its size. */
export function psiOfFractions(
  reference: PsiReference,
  fractions: Float64Array,
  rowCount: number,
): PsiResult {
  const binCount = reference.fractions.length
  if (fractions.length !== binCount) {
    throw shapeMismatch('fractions.length', binCount, fractions.length)
  }
  if (!(rowCount > 0)) throw invalidOption('rowCount', '> 0', rowCount)
  let sum = 0
  for (let bin = 0; bin < binCount; bin++) {
    const now = smoothed(fractions[bin]!, rowCount, binCount)
    const before = smoothed(reference.fractions[bin]!, reference.rowCount, binCount)
    sum += (now - before) * Math.log(now / before)
  }
  const noiseFloor = (binCount - 1) * (1 / rowCount + 1 / reference.rowCount)
  return { psi: sum, noiseFloor, fractions }
}

function smoothed(fraction: number, rowCount: number, binCount: number): number {
  return (fraction * rowCount + 0.5) / (rowCount + 0.5 * binCount)
}

/** The values without NaN; themselves if there is none. */
export function withoutMissing(values: Float64Array): Float64Array {
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i]!)) return values.filter((value) => !Number.isNaN(value))
  }
  return values
}
