import { AnomalyError, invalidOption, shapeMismatch } from '../errors.ts'

/**
 * Area under the ROC curve: the chance that a random positive scores above a random negative,
 * ties counting half.
 * @param labels 1 (abnormal) or 0, one per score
 * @param scores higher is more abnormal, no NaN
 * @returns in [0, 1]; 0.5 is chance
 * @throws ONE_CLASS if all labels are equal, SHAPE_MISMATCH, NOT_FINITE, INVALID_OPTION
 * Cost O(n log n). Source: Mann & Whitney 1947; equal to scikit-learn's roc_auc_score.
 */
export function auroc(labels: ArrayLike<number>, scores: Float64Array): number {
  const positiveCount = requireTwoClasses('auroc', labels, scores)
  const order = descendingOrder(scores)
  let positivesAbove = 0
  let area = 0
  for (let start = 0; start < order.length; ) {
    const end = endOfTie(order, scores, start)
    const positives = positivesBetween(order, labels, start, end)
    area += (end - start - positives) * (positivesAbove + positives / 2)
    positivesAbove += positives
    start = end
  }
  return area / (positiveCount * (scores.length - positiveCount))
}

/**
 * Average precision: Σ (recall step) · precision over the distinct thresholds, without
 * interpolation. Tied scores form one threshold.
 * @returns in (0, 1]; chance is the share of positives
 * @throws as `auroc`
 * Cost O(n log n). Source: equal to scikit-learn's average_precision_score.
 */
export function averagePrecision(labels: ArrayLike<number>, scores: Float64Array): number {
  const positiveCount = requireTwoClasses('average precision', labels, scores)
  const order = descendingOrder(scores)
  let positivesAbove = 0
  let sum = 0
  for (let start = 0; start < order.length; ) {
    const end = endOfTie(order, scores, start)
    const positives = positivesBetween(order, labels, start, end)
    positivesAbove += positives
    sum += (positives / positiveCount) * (positivesAbove / end)
    start = end
  }
  return sum
}

/** Row indices by falling score; ties by rising index. */
export function descendingOrder(scores: Float64Array): Uint32Array {
  const order = new Uint32Array(scores.length)
  for (let i = 0; i < order.length; i++) order[i] = i
  return order.sort((a, b) => scores[b]! - scores[a]! || a - b)
}

/** End of the run of equal scores that starts at `start` in the order. */
export function endOfTie(order: Uint32Array, scores: Float64Array, start: number): number {
  const score = scores[order[start]!]!
  let end = start + 1
  while (end < order.length && scores[order[end]!] === score) end++
  return end
}

/** Positives among the rows [start, end) of the order. */
export function positivesBetween(
  order: Uint32Array,
  labels: ArrayLike<number>,
  start: number,
  end: number,
): number {
  let positives = 0
  for (let i = start; i < end; i++) positives += labels[order[i]!]!
  return positives
}

/** Checks labels and scores, and that both classes occur; returns the number of positives. */
export function requireTwoClasses(
  what: string,
  labels: ArrayLike<number>,
  scores: Float64Array,
): number {
  const positiveCount = requireLabels(what, labels, scores)
  if (positiveCount === 0 || positiveCount === scores.length) {
    throw new AnomalyError(
      'ONE_CLASS',
      `${what}: all ${scores.length} labels are ${positiveCount === 0 ? 0 : 1}, expected both classes`,
      { positiveCount, rowCount: scores.length },
    )
  }
  return positiveCount
}

/** Checks labels and scores; returns the number of positives. */
export function requireLabels(
  what: string,
  labels: ArrayLike<number>,
  scores: Float64Array,
): number {
  if (labels.length !== scores.length) {
    throw shapeMismatch('labels.length', scores.length, labels.length)
  }
  let positiveCount = 0
  for (let i = 0; i < scores.length; i++) {
    const label = labels[i]
    if (label !== 0 && label !== 1) throw invalidOption(`labels[${i}]`, '0 or 1', label)
    positiveCount += label
    // Infinite scores rank well enough, except that ∞ − ∞ is NaN in the sort: refuse both.
    if (!Number.isFinite(scores[i])) {
      throw new AnomalyError('NOT_FINITE', `${what}: score ${i} is ${scores[i]}, expected finite`, {
        index: i,
      })
    }
  }
  return positiveCount
}
