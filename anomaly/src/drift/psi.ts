import { invalidOption, shapeMismatch, tooFewRows } from '../errors.ts'
import { quantileOfSorted } from '../statistics/quantile.ts'

/** How values fall into bins. */
export type PsiBins =
  /** Bins (−∞, e₀), [e₀, e₁), … [eₙ, ∞). */
  | { readonly kind: 'edges'; readonly edges: Float64Array }
  /** Two bins: the modal value, and anything else. */
  | { readonly kind: 'modal'; readonly value: number }

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
 * Cost O(n log n). Source: MON-12.
 */
export function psiReference(values: Float64Array): PsiReference {
  const sorted = withoutMissing(values).sort()
  if (sorted.length === 0) throw tooFewRows('PSI reference', 1, 0)
  return psiReferenceOfSorted(sorted)
}

/** `psiReference` of at least one value in ascending order without NaN. */
export function psiReferenceOfSorted(sorted: Float64Array): PsiReference {
  const deciles = new Set<number>()
  for (let i = 0; i <= 10; i++) deciles.add(quantileOfSorted(sorted, i / 10))
  const binCount = deciles.size - 1
  const bins: PsiBins =
    binCount < 3
      ? { kind: 'modal', value: modeOfSorted(sorted) }
      : { kind: 'edges', edges: Float64Array.from([...deciles].slice(1, -1)) }
  return { bins, fractions: binFractions(bins, sorted), rowCount: sorted.length }
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

function binFractions(bins: PsiBins, values: Float64Array): Float64Array {
  if (bins.kind === 'modal') {
    let modal = 0
    for (let i = 0; i < values.length; i++) if (values[i] === bins.value) modal++
    return Float64Array.of(modal / values.length, (values.length - modal) / values.length)
  }
  const { edges } = bins
  const counts = new Float64Array(edges.length + 1)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    // At most nine edges: a straight scan beats a binary search.
    let bin = 0
    while (bin < edges.length && value >= edges[bin]!) bin++
    counts[bin] = counts[bin]! + 1
  }
  return counts.map((count) => count / values.length)
}

/** The most frequent value, the smallest of several. */
function modeOfSorted(sorted: Float64Array): number {
  let mode = sorted[0]!
  let modeCount = 0
  for (let start = 0; start < sorted.length; ) {
    let end = start + 1
    while (end < sorted.length && sorted[end] === sorted[start]) end++
    if (end - start > modeCount) {
      modeCount = end - start
      mode = sorted[start]!
    }
    start = end
  }
  return mode
}

/** A copy without NaN. */
export function withoutMissing(values: Float64Array): Float64Array {
  return values.filter((value) => !Number.isNaN(value))
}
