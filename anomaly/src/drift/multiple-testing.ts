import { invalidOption } from '../errors.ts'

/** How p-values of several tests are adjusted. */
export type PValueAdjustment = 'holm' | 'benjamini_hochberg'

/**
 * p-values adjusted for the number of tests, so that each can be compared with the level wanted
 * for all of them together.
 * @param pValues in [0, 1]; NaN stands for a test that was not made, and stays NaN
 * @param adjustment `holm` bounds the chance of any false alarm; `benjamini_hochberg` bounds the
 *   expected share of false ones among the alarms, for independent or positively dependent tests
 * @returns one adjusted p-value per test, in their order
 * @throws INVALID_OPTION for a p-value outside [0, 1]
 * Cost O(n log n). Source: Holm 1979; Benjamini & Hochberg 1995; equal to statsmodels'
 * `multipletests`. MON-16.
 */
export function adjustPValues(
  pValues: ArrayLike<number>,
  adjustment: PValueAdjustment,
): Float64Array {
  const tested: number[] = []
  const adjusted = new Float64Array(pValues.length).fill(Number.NaN)
  for (let i = 0; i < pValues.length; i++) {
    const pValue = pValues[i]!
    if (Number.isNaN(pValue)) continue
    if (!(pValue >= 0 && pValue <= 1)) throw invalidOption(`pValues[${i}]`, 'in [0, 1]', pValue)
    tested.push(i)
  }
  const order = tested.sort((a, b) => pValues[a]! - pValues[b]! || a - b)
  const count = order.length
  if (adjustment === 'holm') {
    let largest = 0
    for (const [rank, index] of order.entries()) {
      largest = Math.max(largest, Math.min(1, (count - rank) * pValues[index]!))
      adjusted[index] = largest
    }
    return adjusted
  }
  let smallest = 1
  for (const [rank, index] of [...order.entries()].reverse()) {
    smallest = Math.min(smallest, (pValues[index]! * count) / (rank + 1))
    adjusted[index] = smallest
  }
  return adjusted
}
