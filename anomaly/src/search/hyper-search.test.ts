import { describe, expect, test } from 'vitest'
import { decodeModel, encodeModel } from '../model-file/model-file.ts'
import { createRandom, nextOpenUnit } from '../statistics/random.ts'
import { expectedImprovement } from './expected-improvement.ts'
import {
  bestTrial,
  type HyperSearch,
  nextParameters,
  runSearch,
  startSearch,
  withTrial,
} from './hyper-search.ts'
import { decodePoint, encodeParameters, type ParametersOf } from './search-space.ts'
import { parseSearch } from './search-state.ts'

const space = {
  rate: { kind: 'float', minimum: 0.001, maximum: 1, scale: 'log' },
  leaves: { kind: 'integer', minimum: 2, maximum: 64 },
  kernel: { kind: 'choice', values: ['flat', 'round', true] },
} as const

/** Least at rate 0.03, 20 leaves, `round`. */
function loss({ rate, leaves, kernel }: ParametersOf<typeof space>): number {
  const distance = Math.log10(rate / 0.03) ** 2 + ((leaves - 20) / 30) ** 2
  return distance + (kernel === 'round' ? 0 : kernel === 'flat' ? 0.2 : 0.5)
}

const branin = {
  x: { kind: 'float', minimum: -5, maximum: 10 },
  y: { kind: 'float', minimum: 0, maximum: 15 },
} as const

/** Three equal minima of 0.397887 (Branin 1972). */
function braninLoss({ x, y }: ParametersOf<typeof branin>): number {
  const bowl = (y - (5.1 / (4 * Math.PI ** 2)) * x * x + (5 / Math.PI) * x - 6) ** 2
  return bowl + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10
}

describe('hyper-parameter search', () => {
  test('finds a minimum of Branin in 40 trials on every seed, far closer than chance', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const search = await runSearch(startSearch(branin, seed), braninLoss, { maxTrials: 40 })
      expect(bestTrial(search)!.outcome.loss).toBeLessThan(0.43)
    }
    const random = createRandom(1)
    const chance = [1, 2, 3, 4, 5].map(() =>
      Math.min(
        ...Array.from({ length: 40 }, () =>
          braninLoss({ x: 15 * nextOpenUnit(random) - 5, y: 15 * nextOpenUnit(random) }),
        ),
      ),
    )
    expect(Math.max(...chance)).toBeGreaterThan(1)
  })

  test('handles logs, integers and choices together', async () => {
    const search = await runSearch(startSearch(space), loss, { maxTrials: 45 })
    const { parameters, outcome } = bestTrial(search)!
    expect(parameters.kernel).toBe('round')
    expect(outcome.loss).toBeLessThan(0.02)
    for (const trial of search.trials) {
      expect(Number.isInteger(trial.parameters.leaves)).toBe(true)
      expect(trial.parameters.rate).toBeGreaterThanOrEqual(0.001)
      expect(trial.parameters.rate).toBeLessThanOrEqual(1)
    }
  })

  test('stopped, stored and resumed it goes on as if never stopped', async () => {
    const whole = await runSearch(startSearch(space, 7), loss, { maxTrials: 24 })
    const half = await runSearch(startSearch(space, 7), loss, { maxTrials: 13 })
    const stored = parseSearch(decodeModel(encodeModel(half)))
    expect(stored).toEqual(half)
    expect(await runSearch(half, loss, { maxTrials: 24 })).toEqual(whole)
    expect(nextParameters(stored)).toEqual(whole.trials[13]!.parameters)
    expect(await runSearch(startSearch(space, 8), loss, { maxTrials: 3 })).not.toEqual(whole)
  })

  test('failures are recorded with their reason and avoided', async () => {
    const fragile = ({ x, y }: ParametersOf<typeof branin>) => {
      if (x < 2) throw new Error('out of memory')
      return y < 0.5 ? Number.NaN : braninLoss({ x, y })
    }
    const search = await runSearch(startSearch(branin, 3), fragile, { maxTrials: 45 })
    const reasons = search.trials.flatMap(({ outcome }) =>
      outcome.kind === 'failed' ? [outcome.reason] : [],
    )
    expect(reasons).toContain('out of memory')
    expect(bestTrial(search)!.outcome.loss).toBeLessThan(0.6)
    const late = search.trials.slice(20).filter(({ outcome }) => outcome.kind === 'failed')
    expect(late.length).toBeLessThan(12)
  })

  test('a search in which everything fails says so', async () => {
    const broken = () => {
      throw new Error('no data')
    }
    const run = runSearch(startSearch(branin), broken, { maxTrials: 8 })
    await expect(run).rejects.toThrow('all 8 trials failed, the first with "no data"')
  })

  test('ends at the deadline of the clock it is given', async () => {
    let nowMs = 0
    const slow = (parameters: ParametersOf<typeof branin>) => {
      nowMs += 100
      return braninLoss(parameters)
    }
    const deadline = { nowMs: () => nowMs, endMs: 450 }
    const search = await runSearch(startSearch(branin), slow, { maxTrials: 50, deadline })
    expect(search.trials).toHaveLength(5)
  })

  test("learns from the caller's own trials and stores after each", async () => {
    const known = withTrial(
      startSearch(space),
      { rate: 0.03, leaves: 20, kernel: 'round' },
      {
        ...{ kind: 'measured', loss: 0 },
      },
    )
    const stored: HyperSearch[] = []
    const search = await runSearch(known, loss, { maxTrials: 4 }, (state) => {
      stored.push(state)
    })
    expect(stored.map(({ trials }) => trials.length)).toEqual([2, 3, 4])
    expect(bestTrial(search)!.parameters).toEqual(known.trials[0]!.parameters)
  })

  test('a small space is searched through without repeating a measured point', async () => {
    const tiny = {
      a: { kind: 'integer', minimum: 1, maximum: 4 },
      b: { kind: 'choice', values: [1, 2, 3, 4] },
    } as const
    const search = await runSearch(startSearch(tiny), ({ a, b }) => (a - 3) ** 2 + b, {
      maxTrials: 14,
    })
    const after = search.trials.slice(7).map(({ parameters }) => JSON.stringify(parameters))
    expect(new Set(after).size).toBe(after.length)
    expect(bestTrial(search)!.parameters).toEqual({ a: 3, b: 1 })
  })

  test('spaces, trials and budgets that are none are refused', async () => {
    expect(() => startSearch({})).toThrow('space')
    expect(() => startSearch({ a: { kind: 'float', minimum: 2, maximum: 1 } })).toThrow('space.a')
    const zero = { a: { kind: 'float', minimum: 0, maximum: 1, scale: 'log' } } as const
    expect(() => startSearch(zero)).toThrow('space.a')
    expect(() => startSearch({ a: { kind: 'integer', minimum: 0.5, maximum: 1 } })).toThrow(
      'space.a',
    )
    expect(() => startSearch({ a: { kind: 'choice', values: [1, 1] } })).toThrow('space.a.values')
    const search = startSearch(branin)
    expect(() => withTrial(search, { x: 99, y: 1 }, { kind: 'measured', loss: 1 })).toThrow('x')
    const infinite = { kind: 'measured', loss: Number.POSITIVE_INFINITY } as const
    expect(() => withTrial(search, { x: 1, y: 1 }, infinite)).toThrow('outcome.loss')
    await expect(runSearch(search, () => 1, { maxTrials: 0 })).rejects.toThrow('maxTrials')
    const state = {
      ...startSearch(space),
      trials: [{ parameters: { rate: 5, leaves: 2, kernel: true }, outcome: {} }],
    }
    expect(() => parseSearch(state)).toThrow('option rate is 5')
  })
})

describe('points of a space', () => {
  test('parameters come back from their point', () => {
    const random = createRandom(4)
    for (let i = 0; i < 50; i++) {
      const point = Float64Array.from({ length: 5 }, () => nextOpenUnit(random))
      const parameters = decodePoint(space, point)
      const again = decodePoint(space, encodeParameters(space, parameters))
      expect(again.leaves).toBe(parameters.leaves)
      expect(again.kernel).toBe(parameters.kernel)
      expect(again.rate).toBeCloseTo(parameters.rate, 12)
    }
  })

  test('expected improvement equals its definition', () => {
    // Midpoint rule over ±8 standard deviations.
    for (const [mean, deviation, best] of [
      [0, 1, 0],
      [1, 0.5, 0.2],
      [-2, 2, 1],
    ] as const) {
      let sum = 0
      for (let i = 0; i < 16_000; i++) {
        const z = -8 + (i + 0.5) / 1000
        const density = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)
        sum += (Math.max(0, best - (mean + deviation * z)) * density) / 1000
      }
      expect(expectedImprovement(mean, deviation, best)).toBeCloseTo(sum, 5)
    }
    expect(expectedImprovement(1, 0, 3)).toBe(2)
    expect(expectedImprovement(3, 0, 1)).toBe(0)
  })
})
