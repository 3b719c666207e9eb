import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom, nextIndex, nextOpenUnit } from '../statistics/random.ts'
import { bootstrapInterval } from './bootstrap-interval.ts'
import {
  confusionAt,
  fBetaOf,
  precisionAtK,
  precisionOf,
  recallAtK,
  recallOf,
  yieldAtK,
} from './classification-metrics.ts'
import { eventCounts, eventRates, type LabelledEvent, mergeEventCounts } from './event-metrics.ts'
import { brierScore, calibrationError, logLoss } from './probability-metrics.ts'
import { auroc } from './ranking-metrics.ts'

const labels = [0, 1, 0, 1, 1, 0, 0, 1, 0, 0]
const scores = Float64Array.of(0.1, 0.4, 0.4, 0.8, 0.4, 0.2, 0.8, 0.9, 0.1, 0.3)

describe('classification', () => {
  test('equals scikit-learn 1.9.1', () => {
    const counts = confusionAt(labels, scores, 0.35)
    expect(counts).toEqual({
      truePositives: 4,
      falsePositives: 2,
      trueNegatives: 4,
      falseNegatives: 0,
    })
    expect(precisionOf(counts)).toBeCloseTo(2 / 3, 15)
    expect(recallOf(counts)).toBe(1)
    expect(fBetaOf(counts, 0.5)).toBeCloseTo(0.7142857142857143, 15)
    expect(fBetaOf(counts, 2)).toBeCloseTo(0.9090909090909091, 15)
    expect(brierScore(labels, scores)).toBeCloseTo(0.17200000000000001, 15)
    expect(logLoss(labels, scores)).toBeCloseTo(0.5071888593489031, 14)
  })

  test('a score at the threshold is not flagged; nothing flagged has precision 0', () => {
    const none = confusionAt(labels, scores, 0.9)
    expect(none.truePositives + none.falsePositives).toBe(0)
    expect([precisionOf(none), recallOf(none), fBetaOf(none)]).toEqual([0, 0, 0])
    expect(() => fBetaOf(none, 0)).toThrow('beta')
    expect(() => confusionAt([2, 0], Float64Array.of(1, 2), 0)).toThrow('labels[0]')
  })

  test('the yield of the top K is that of a random order of ties, on average', () => {
    const found = yieldAtK(labels, scores, 4)
    // Above the tie of three at 0.4: three rows with two positives; one of the three adds 2/3.
    expect(found.found).toBeCloseTo(2 + 2 / 3, 12)
    expect(found.precision).toBeCloseTo((2 + 2 / 3) / 4, 12)
    expect(found.recall).toBeCloseTo((2 + 2 / 3) / 4, 12)
    expect(found.lift).toBeCloseTo((2 + 2 / 3) / 4 / 0.4, 12)
    expect(yieldAtK(labels, scores, 10).lift).toBeCloseTo(1, 12)
    expect([precisionAtK(labels, scores, 1), recallAtK(labels, scores, 1)]).toEqual([1, 0.25])
    expect(() => yieldAtK(labels, scores, 0)).toThrow('count')
    expect(() => precisionAtK(labels, scores, 11)).toThrow('count')
  })
})

describe('events', () => {
  const times = Array.from({ length: 40 }, (_, i) => 10 * i)
  const events: readonly LabelledEvent[] = [
    { start: 100, end: 150 },
    { start: 300, end: 320 },
  ]
  const flagsAt = (...rows: readonly number[]) =>
    times.map((_, row) => (rows.includes(row) ? 1 : 0))

  test('an alarm is a run, an event counts once, lead time runs to the end of the event', () => {
    const counts = eventCounts(times, flagsAt(0, 1, 5, 12, 13, 15, 20), events)
    expect(counts).toEqual({
      eventCount: 2,
      detectedCount: 1,
      alarmCount: 5,
      trueAlarmCount: 2,
      leadTimes: [30],
    })
    const { precision, recall, medianLeadTime, fBeta } = eventRates(counts)
    expect([precision, recall, medianLeadTime]).toEqual([0.4, 0.5, 30])
    expect(fBeta).toBeCloseTo((1.25 * 0.4 * 0.5) / (0.25 * 0.4 + 0.5), 15)
  })

  test('alarms near in time are one; an alarm over two events finds both', () => {
    const merged = eventCounts(times, flagsAt(0, 1, 5, 12, 13, 15, 20), events, { mergeWithin: 40 })
    expect(merged).toMatchObject({ alarmCount: 3, trueAlarmCount: 1 })
    const all = eventCounts(times, new Uint8Array(40).fill(1), events)
    expect(all).toMatchObject({ alarmCount: 1, trueAlarmCount: 1, detectedCount: 2 })
    expect(all.leadTimes).toEqual([20, 50])
    expect(eventRates(all).medianLeadTime).toBe(35)
  })

  test('rows in ignored times are neither alarm nor hit', () => {
    const ignored = [{ start: 0, end: 115 }]
    const counts = eventCounts(times, flagsAt(0, 1, 5, 11, 20), events, { ignored })
    expect(counts).toMatchObject({ alarmCount: 1, trueAlarmCount: 0, detectedCount: 0 })
  })

  test('a random detector is not flattered by long events', () => {
    // Point adjustment would credit all 400 rows of the event for one hit in it.
    const random = createRandom(1)
    const long = Array.from({ length: 1000 }, (_, i) => i)
    const flags = long.map(() => (nextOpenUnit(random) < 0.05 ? 1 : 0))
    const { precision, recall } = eventRates(eventCounts(long, flags, [{ start: 600, end: 999 }]))
    expect(recall).toBe(1)
    expect(precision).toBeLessThan(0.6)
  })

  test('devices add up, and counts agree with a plain count', () => {
    const flagLists = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 40, maxLength: 40 })
    fc.assert(
      fc.property(flagLists, flagLists, fc.integer({ min: 0, max: 3 }), (a, b, gap) => {
        const count = (flags: readonly number[]) =>
          eventCounts(times, flags, events, { mergeWithin: 10 * gap })
        const runs = (flags: readonly number[]) =>
          flags.filter((flag, row) => {
            const before = flags.slice(Math.max(0, row - Math.max(1, gap)), row)
            return flag === 1 && !before.includes(1)
          }).length
        const both = mergeEventCounts([count(a), count(b)])
        expect(both.alarmCount).toBe(runs(a) + runs(b))
        expect(both.eventCount).toBe(4)
        const isHit = (flags: readonly number[], { start, end }: LabelledEvent) =>
          flags.some((flag, row) => flag === 1 && start <= 10 * row && 10 * row <= end)
        const hits = [a, b].flatMap((flags) => events.filter((event) => isHit(flags, event)))
        expect(both.detectedCount).toBe(hits.length)
      }),
    )
  })

  test('disorder is refused; nothing gives zeros', () => {
    expect(() => eventCounts([1, 1], [0, 0], [])).toThrow('times[1]')
    expect(() => eventCounts([1], [0, 0], [])).toThrow('flags.length')
    expect(() => eventCounts([1], [0], [{ start: 3, end: 2 }])).toThrow('events[0]')
    expect(eventRates(eventCounts([], [], []))).toEqual({
      precision: 0,
      recall: 0,
      fBeta: 0,
      medianLeadTime: Number.NaN,
    })
  })
})

describe('probabilities', () => {
  test('true probabilities are calibrated, sharpened ones are not', () => {
    const random = createRandom(3)
    const truth = Float64Array.from({ length: 20_000 }, () => nextOpenUnit(random) ** 3)
    const drawn = truth.map((p) => (nextOpenUnit(random) < p ? 1 : 0))
    const honest = calibrationError(drawn, truth)
    expect(honest.expected).toBeLessThan(0.01)
    expect(honest.bins).toHaveLength(10)
    expect(honest.bins.every(({ count }) => count === 2000)).toBe(true)
    const sure = truth.map((p) => (p > 0.5 ? 0.99 : 0.01))
    expect(calibrationError(drawn, sure).expected).toBeGreaterThan(0.1)
    expect(brierScore(drawn, truth)).toBeLessThan(brierScore(drawn, sure))
  })

  test('equal probabilities share one bin: the error is that of the base rate', () => {
    const constant = new Float64Array(10).fill(0.3)
    const { expected, maximum, bins } = calibrationError(labels, constant)
    expect(bins).toEqual([{ count: 10, meanProbability: expect.closeTo(0.3), positiveShare: 0.4 }])
    expect([expected, maximum]).toEqual([expect.closeTo(0.1), expect.closeTo(0.1)])
  })

  test('every row is in one bin, the bins ascend', () => {
    const rows = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 10 })),
      { minLength: 1 },
    )
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 20 }), (drawn, binCount) => {
        const { bins, expected, maximum } = calibrationError(
          drawn.map(([label]) => label),
          Float64Array.from(drawn, ([, tenth]) => tenth / 10),
          binCount,
        )
        expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(drawn.length)
        expect(bins.length).toBeLessThanOrEqual(binCount)
        const means = bins.map(({ meanProbability }) => meanProbability)
        expect(means).toEqual(means.toSorted((a, b) => a - b))
        expect(expected).toBeLessThanOrEqual(maximum + 1e-12)
      }),
    )
  })

  test('a sure mistake costs much but not everything; scores are no probabilities', () => {
    expect(logLoss([1], Float64Array.of(0))).toBeCloseTo(36.04, 2)
    expect(() => brierScore([1], Float64Array.of(1.2))).toThrow('calibrate scores first')
    expect(() => logLoss([], new Float64Array())).toThrow('at least 1 row')
    expect(() => calibrationError([1, 0], Float64Array.of(1))).toThrow('labels.length')
  })
})

describe('bootstrap interval', () => {
  const draw = (count: number, seed: number) => {
    const random = createRandom(seed)
    return Float64Array.from({ length: count }, () => nextOpenUnit(random))
  }
  const meanOf = (values: Float64Array) => (rows: Uint32Array) =>
    rows.reduce((sum, row) => sum + values[row]!, 0) / rows.length

  test('covers the truth about as often as it says', () => {
    let covered = 0
    for (let seed = 0; seed < 100; seed++) {
      const options = { seed, resampleCount: 200, confidence: 0.9 }
      const { low, high } = bootstrapInterval(60, meanOf(draw(60, seed)), options)
      if (low <= 0.5 && 0.5 <= high) covered++
    }
    // Binomial(100, 0.9): standard deviation 3.
    expect(covered).toBeGreaterThanOrEqual(80)
    expect(covered).toBeLessThanOrEqual(98)
  })

  test('by device it is as wide as the devices are few', () => {
    const random = createRandom(8)
    const level = Float64Array.from({ length: 10 }, () => nextOpenUnit(random))
    const groupOfRow = Uint8Array.from({ length: 500 }, () => nextIndex(random, 10))
    const values = Float64Array.from(groupOfRow, (group) => level[group]!)
    const single = bootstrapInterval(500, meanOf(values))
    const grouped = bootstrapInterval(500, meanOf(values), { groupOfRow })
    expect(grouped.estimate).toBe(single.estimate)
    expect(grouped.standardError).toBeGreaterThan(4 * single.standardError)
  })

  test('the seed decides all; the order of groups nothing', () => {
    const values = draw(50, 1)
    const options = { seed: 5, resampleCount: 50 }
    expect(bootstrapInterval(50, meanOf(values), options)).toEqual(
      bootstrapInterval(50, meanOf(values), options),
    )
  })

  test('resamples without a positive are counted and left out', () => {
    const rare = [1, 1, ...new Array<number>(20).fill(0)]
    const found = bootstrapInterval(22, (rows) =>
      auroc(
        Array.from(rows, (row) => rare[row]!),
        Float64Array.from(rows, (row) => -row),
      ),
    )
    expect(found.estimate).toBe(1)
    expect(found.undefinedCount).toBeGreaterThan(50)
    const never = () => Number.NaN
    expect(() => bootstrapInterval(3, never)).toThrow('undefined in 1000 of 1000')
    const broken = () => {
      throw new RangeError('broken')
    }
    expect(() => bootstrapInterval(3, broken)).toThrow('broken')
    expect(() => bootstrapInterval(0, never)).toThrow('at least 1 row')
    expect(() => bootstrapInterval(2, never, { groupOfRow: [0] })).toThrow('groupOfRow')
  })
})
