import { nextIndex, type Random } from '../statistics/random.ts'

/**
 * Fills `sample` with training rows drawn without replacement (partial Fisher–Yates), and undoes
 * the swaps so that trees stay independent.
 * @param swappedWith scratch as long as `sample`
 */
export function drawSample(
  trainingRows: Uint32Array,
  sample: Uint32Array,
  swappedWith: Uint32Array,
  random: Random,
): void {
  for (let i = 0; i < sample.length; i++) {
    const other = i + nextIndex(random, trainingRows.length - i)
    swappedWith[i] = other
    const row = trainingRows[other]!
    trainingRows[other] = trainingRows[i]!
    trainingRows[i] = row
    sample[i] = row
  }
  for (let i = sample.length - 1; i >= 0; i--) {
    const other = swappedWith[i]!
    const row = trainingRows[other]!
    trainingRows[other] = trainingRows[i]!
    trainingRows[i] = row
  }
}
