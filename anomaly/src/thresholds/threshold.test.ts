import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { precisionAtK } from '../metrics/classification-metrics.ts'
import { decodeModel, encodeModel } from '../model-file/model-file.ts'
import { createRandom, nextIndex, nextNormal, nextOpenUnit } from '../statistics/random.ts'
import { alarmBudgetThreshold } from './alarm-budget-threshold.ts'
import { conformalPValues, conformalThreshold } from './conformal-threshold.ts'
import { extremeValueThreshold } from './extreme-value-threshold.ts'
import { falseDiscoveryThreshold } from './false-discovery-threshold.ts'
import { fitGeneralisedPareto } from './generalised-pareto.ts'
import { precisionThreshold } from './precision-threshold.ts'
import { quantileThreshold } from './quantile-threshold.ts'
import { applyThreshold, type Threshold, thresholdCutoff, withLevel } from './threshold.ts'
import { parseThreshold } from './threshold-state.ts'
import { topCountThreshold } from './top-count-threshold.ts'

function normals(count: number, seed: number, shift = 0): Float64Array {
  const random = createRandom(seed)
  return Float64Array.from({ length: count }, () => nextNormal(random) + shift)
}

const share = (flags: Uint8Array) => flags.reduce((sum, flag) => sum + flag, 0) / flags.length
const tiedScores = fc
  .array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 120 })
  .map((values) => Float64Array.from(values))
const level = fc.double({ min: 0.001, max: 0.999, noNaN: true })

/** One of every kind over the same scores. */
function everyKind(): readonly Threshold[] {
  const scores = normals(2000, 1)
  const labels = scores.map((score) => (score > 1.5 ? 1 : 0))
  return [
    quantileThreshold(scores),
    extremeValueThreshold(scores, { level: 0.001 }),
    conformalThreshold(scores),
    falseDiscoveryThreshold(scores),
    precisionThreshold(labels, scores),
    alarmBudgetThreshold(scores, { weeks: 4 }),
    topCountThreshold(50),
  ]
}

describe('every threshold', () => {
  test('flags exactly the scores above its cutoff, NaN never', () => {
    for (const threshold of everyKind()) {
      const scores = Float64Array.from([...normals(300, 2, 1), Number.NaN])
      const cutoff = thresholdCutoff(threshold, scores)
      expect(Array.from(applyThreshold(threshold, scores))).toEqual(
        Array.from(scores, (score) => (score > cutoff ? 1 : 0)),
      )
    }
  })

  test('another level is the same evidence, and equals a new threshold at that level', () => {
    const scores = normals(3000, 3)
    const labels = scores.map((score, i) => (score + (i % 3) > 2 ? 1 : 0))
    expect(withLevel(quantileThreshold(scores), 0.2)).toEqual(quantileThreshold(scores, 0.2))
    expect(withLevel(conformalThreshold(scores), 0.2)).toEqual(conformalThreshold(scores, 0.2))
    expect(withLevel(falseDiscoveryThreshold(scores), 0.3)).toEqual(
      falseDiscoveryThreshold(scores, { level: 0.3 }),
    )
    expect(withLevel(extremeValueThreshold(scores), 1e-6)).toEqual(
      extremeValueThreshold(scores, { level: 1e-6 }),
    )
    expect(withLevel(precisionThreshold(labels, scores), 0.6)).toEqual(
      precisionThreshold(labels, scores, { level: 0.6 }),
    )
    expect(withLevel(alarmBudgetThreshold(scores, { weeks: 3 }), 9)).toEqual(
      alarmBudgetThreshold(scores, { weeks: 3, level: 9 }),
    )
    expect(withLevel(topCountThreshold(3), 7)).toEqual(topCountThreshold(7))
  })

  test('survives a model file; a changed field is refused', () => {
    for (const threshold of everyKind()) {
      expect(parseThreshold(decodeModel(encodeModel(threshold)))).toEqual(threshold)
      expect(() => parseThreshold({ ...threshold, level: -1 })).toThrow('level')
      expect(() => parseThreshold({ ...threshold, kind: 'none' })).toThrow('kind')
      if ('sortedScores' in threshold) {
        const sortedScores = threshold.sortedScores.toReversed()
        expect(() => parseThreshold({ ...threshold, sortedScores })).toThrow('in order')
      }
    }
    const precision = everyKind()[4]
    const counts = new Uint32Array(2000).fill(3)
    expect(() => parseThreshold({ ...precision, flaggedCounts: counts })).toThrow(
      'flaggedCounts[1]',
    )
    expect(() => parseThreshold({ ...everyKind()[5], weeks: 0 })).toThrow('weeks')
  })

  test('bad levels, NaN and empty evidence are refused', () => {
    const scores = normals(1000, 1)
    expect(() => withLevel(conformalThreshold(scores), 1)).toThrow('level')
    expect(() => withLevel(extremeValueThreshold(scores), 0.5)).toThrow('0.02')
    expect(() => withLevel(topCountThreshold(1), 1.5)).toThrow('level')
    expect(() => quantileThreshold(Float64Array.of(1, Number.NaN))).toThrow('score 1 is NaN')
    expect(() => conformalThreshold(new Float64Array())).toThrow('at least 1 row')
    expect(() => extremeValueThreshold(scores.subarray(0, 100))).toThrow('at least 10 row')
    expect(() => extremeValueThreshold(new Float64Array(1000))).toThrow('at least 10 row')
    expect(() => alarmBudgetThreshold(scores, { weeks: 0 })).toThrow('weeks')
    expect(() => thresholdCutoff(topCountThreshold(3))).toThrow('a batch')
    expect(() => precisionThreshold(new Uint8Array(1000), scores)).toThrow('both classes')
  })
})

describe('conformal threshold', () => {
  test('a row is flagged exactly when its p-value is at most the level', () => {
    fc.assert(
      fc.property(tiedScores, tiedScores, level, (calibration, scores, alpha) => {
        const threshold = conformalThreshold(calibration, alpha)
        const flags = applyThreshold(threshold, scores)
        for (const [i, pValue] of conformalPValues(threshold, scores).entries()) {
          const above = calibration.filter((score) => score >= scores[i]!).length
          expect(pValue).toBe((1 + above) / (calibration.length + 1))
          expect(flags[i]).toBe(pValue <= alpha ? 1 : 0)
        }
      }),
    )
  })

  test('levels that are whole ranks round on neither side', () => {
    for (let count = 1; count < 200; count++) {
      const threshold = conformalThreshold(Float64Array.from({ length: count }, (_, i) => i))
      for (let rank = 1; rank <= count; rank++) {
        const at = withLevel(threshold, rank / (count + 1))
        expect(thresholdCutoff(at)).toBe(count - rank)
      }
    }
  })

  test('the mean false-alarm rate over calibration sets is the level, even of 99 rows', () => {
    let sum = 0
    for (let seed = 0; seed < 300; seed++) {
      const threshold = conformalThreshold(normals(99, seed), 0.05)
      sum += share(applyThreshold(threshold, normals(400, seed + 10_000)))
    }
    // Rate of one set: Beta(5, 95), standard deviation 0.0217; of the mean of 300: 0.0013.
    expect(Math.abs(sum / 300 - 0.05)).toBeLessThan(0.005)
  })

  test('too few calibration rows for the level flag nothing', () => {
    const threshold = conformalThreshold(normals(50, 1), 0.01)
    expect(share(applyThreshold(threshold, Float64Array.of(1e9)))).toBe(0)
  })
})

describe('false-discovery threshold', () => {
  /** The step-up procedure as its authors write it. */
  function naiveStepUp(pValues: Float64Array, q: number): number[] {
    const sorted = [...pValues].sort((a, b) => a - b)
    const k = sorted.findLastIndex((p, i) => p <= (q * (i + 1)) / sorted.length)
    const largest = k < 0 ? -1 : (sorted[k] ?? -1)
    return Array.from(pValues, (p) => (p <= largest ? 1 : 0))
  }

  test('flags what Benjamini–Hochberg rejects', () => {
    fc.assert(
      fc.property(tiedScores, tiedScores, level, (calibration, scores, q) => {
        const threshold = falseDiscoveryThreshold(calibration, { level: q })
        const expected = naiveStepUp(conformalPValues(threshold, scores), q)
        expect(Array.from(applyThreshold(threshold, scores))).toEqual(expected)
      }),
    )
  })

  /** Mean share of healthy rows among the flagged, over seeds. */
  function falseShare(method: 'benjamini_hochberg' | 'storey', healthyShare: number): number {
    let sum = 0
    for (let seed = 0; seed < 60; seed++) {
      const threshold = falseDiscoveryThreshold(normals(4000, seed), { level: 0.2, method })
      const healthyCount = 1000 * healthyShare
      const batch = Float64Array.from([
        ...normals(healthyCount, seed + 1000),
        ...normals(1000 - healthyCount, seed + 2000, 3),
      ])
      const flags = applyThreshold(threshold, batch)
      const flagged = share(flags) * 1000
      const isFalse = share(flags.subarray(0, healthyCount)) * healthyCount
      sum += isFalse / Math.max(1, flagged)
    }
    return sum / 60
  }

  test('the false share is level × healthy share, with Storey the level itself', () => {
    expect(Math.abs(falseShare('benjamini_hochberg', 0.9) - 0.18)).toBeLessThan(0.03)
    expect(Math.abs(falseShare('benjamini_hochberg', 0.6) - 0.12)).toBeLessThan(0.02)
    expect(Math.abs(falseShare('storey', 0.6) - 0.2)).toBeLessThan(0.03)
  })

  test('healthy rows alone are rarely flagged; NaN takes no part', () => {
    let batches = 0
    for (let seed = 0; seed < 100; seed++) {
      const threshold = falseDiscoveryThreshold(normals(5000, seed))
      const flags = applyThreshold(threshold, normals(300, seed + 500))
      if (share(flags) > 0) batches++
    }
    // Binomial(100, 0.1): mean 10, three standard deviations 9.
    expect(batches).toBeLessThanOrEqual(19)
    const threshold = falseDiscoveryThreshold(normals(5000, 1))
    expect(Array.from(applyThreshold(threshold, Float64Array.of(Number.NaN, 9)))).toEqual([0, 1])
    expect(applyThreshold(threshold, new Float64Array())).toHaveLength(0)
  })
})

describe('extreme value threshold', () => {
  test('the fit equals scipy 1.17.1 genpareto.fit(floc=0)', () => {
    const scipy = [
      [0.3, 2, 0.287095035575943, 2.015393516210317],
      [0.0001, 1, -0.02332618835763737, 1.0181594958082965],
      [-0.2, 5, -0.23741805647838493, 5.159673500386958],
      [0.9, 1, 0.8924145073062248, 1.0015727596949207],
    ] as const
    for (const [g, s, shape, scale] of scipy) {
      const excesses = Float64Array.from({ length: 200 }, (_, at) => {
        const i = at + 1
        return (s / g) * ((1 - (i - 0.5) / 200) ** -g - 1) * (1 + 0.1 * Math.sin(7 * i))
      })
      const found = fitGeneralisedPareto(excesses)
      // scipy stops its simplex at 1e−4.
      expect(Math.abs(found.shape - shape)).toBeLessThan(2e-4)
      expect(Math.abs(found.scale / scale - 1)).toBeLessThan(2e-4)
    }
  })

  test('extrapolates to chances far below 1/n, for bounded, normal and heavy tails', () => {
    const chance = 1e-4
    const shapes = {
      uniform: { draw: (u: number) => u, truth: 1 - chance },
      exponential: { draw: (u: number) => -Math.log(u), truth: -Math.log(chance) },
      pareto: { draw: (u: number) => u ** -0.4, truth: chance ** -0.4 },
    }
    for (const { draw, truth } of Object.values(shapes)) {
      const cutoffs = Array.from({ length: 21 }, (_, seed) => {
        const random = createRandom(seed)
        const scores = Float64Array.from({ length: 5000 }, () => draw(nextOpenUnit(random)))
        return thresholdCutoff(extremeValueThreshold(scores, { level: chance }))
      }).sort((a, b) => a - b)
      expect(Math.abs((cutoffs[10] ?? 0) / truth - 1)).toBeLessThan(0.1)
    }
  })

  test('a smaller chance never lowers the cutoff', () => {
    const threshold = extremeValueThreshold(normals(3000, 5))
    let previous = threshold.tailStart
    for (const chance of [0.02, 0.01, 1e-3, 1e-5, 1e-9]) {
      const cutoff = thresholdCutoff(withLevel(threshold, chance))
      expect(cutoff).toBeGreaterThanOrEqual(previous)
      previous = cutoff
    }
  })
})

describe('precision threshold', () => {
  test('flags the most rows whose precision on the labels reaches the level', () => {
    const labelled = fc
      .array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 20 })), {
        minLength: 2,
        maxLength: 60,
      })
      .filter((rows) => new Set(rows.map(([label]) => label)).size === 2)
    fc.assert(
      fc.property(labelled, level, (rows, wanted) => {
        const labels = rows.map(([label]) => label)
        const scores = Float64Array.from(rows, ([, score]) => score)
        const threshold = precisionThreshold(labels, scores, { level: wanted })
        const flags = applyThreshold(threshold, scores)
        const precisionAbove = (lowest: number) => {
          const above = rows.filter(([, score]) => score >= lowest)
          return above.filter(([label]) => label === 1).length / above.length
        }
        const reached = [...scores].filter((score) => precisionAbove(score) >= wanted)
        const lowest = Math.min(...reached)
        expect(Array.from(flags)).toEqual(Array.from(scores, (score) => (score >= lowest ? 1 : 0)))
        const count = flags.reduce((sum, flag) => sum + flag, 0)
        if (count > 0) expect(precisionAtK(labels, scores, count)).toBeGreaterThanOrEqual(wanted)
      }),
    )
  })

  test('confidence asks for more evidence', () => {
    const scores = Float64Array.from({ length: 100 }, (_, i) => i)
    const labels = scores.map((score) => (score >= 90 && score !== 93 ? 1 : 0))
    const observed = applyThreshold(precisionThreshold(labels, scores, { level: 0.85 }), scores)
    expect(share(observed)).toBe(0.1)
    const sure = precisionThreshold(labels, scores, { level: 0.85, confidence: 0.95 })
    expect(share(applyThreshold(sure, scores))).toBe(0)
    const many = { level: 0.6, confidence: 0.95 }
    expect(share(applyThreshold(precisionThreshold(labels, scores, many), scores))).toBe(0.1)
  })
})

describe('alarm budget threshold', () => {
  /** Runs of flagged rows per device, joined over gaps, counted row by row. */
  function naiveAlarms(flags: ArrayLike<number>, starts: readonly number[], gap: number): number {
    let alarms = 0
    let last = Number.NEGATIVE_INFINITY
    for (let row = 0; row < flags.length; row++) {
      if (starts.includes(row)) last = Number.NEGATIVE_INFINITY
      if (flags[row] !== 1) continue
      if (row - last > gap + 1) alarms++
      last = row
    }
    return alarms
  }

  test('no cutoff from its own upwards raises more alarms than the budget, the next lower does', () => {
    const cases = fc.tuple(
      tiedScores,
      fc.integer({ min: 0, max: 4 }),
      fc.integer({ min: 0, max: 9 }),
      fc.nat(),
    )
    fc.assert(
      fc.property(cases, ([scores, mergeGap, budget, seed]) => {
        const groupStarts = [0, nextIndex(createRandom(seed), scores.length)].sort((a, b) => a - b)
        const options = { weeks: 1, level: budget, mergeGap, groupStarts }
        const cutoff = thresholdCutoff(alarmBudgetThreshold(scores, options))
        const alarmsAbove = (limit: number) =>
          naiveAlarms(
            scores.map((score) => (score > limit ? 1 : 0)),
            groupStarts,
            mergeGap,
          )
        for (const other of new Set(scores)) {
          if (other >= cutoff) expect(alarmsAbove(other)).toBeLessThanOrEqual(budget)
        }
        if (cutoff > Number.NEGATIVE_INFINITY) {
          expect(alarmsAbove(cutoff)).toBeLessThanOrEqual(budget)
          expect(alarmsAbove(cutoff - 0.5)).toBeGreaterThan(budget)
        }
      }),
    )
  })

  test('a budget below one alarm over the history takes the highest score', () => {
    const scores = normals(1000, 4)
    const threshold = alarmBudgetThreshold(scores, { weeks: 2, level: 0.4 })
    expect(thresholdCutoff(threshold)).toBe(Math.max(...scores))
    expect(thresholdCutoff(withLevel(threshold, 1e6))).toBe(Number.NEGATIVE_INFINITY)
  })
})

describe('top-count threshold', () => {
  test('flags at most K, ties at the border left out', () => {
    const scores = Float64Array.of(5, 1, 4, 4, 4, 9)
    const counts = [0, 1, 2, 3, 4, 5, 6, 99].map((k) =>
      applyThreshold(topCountThreshold(k), scores).reduce((sum, flag) => sum + flag, 0),
    )
    expect(counts).toEqual([0, 1, 2, 2, 2, 5, 6, 6])
  })
})
