import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AnomalyError } from '../errors.ts'
import { createRandom, nextOpenUnit } from '../statistics/random.ts'
import { calibrate, calibrateScores, fitCalibration, withContamination } from './calibration.ts'

/** 0, 1, … 10,000: quantile p is 10,000 p. */
const ramp = Float64Array.from({ length: 10_001 }, (_, i) => i)

function uniformScores(count: number, seed: number): Float64Array {
  const random = createRandom(seed)
  return Float64Array.from({ length: count }, () => nextOpenUnit(random) ** 3)
}

describe('calibration', () => {
  test('anchors are Q(0.50), Q(1 − c), Q(1 − c/5) and Q(0.999)', () => {
    const calibration = fitCalibration(ramp, 0.05)
    expect(Array.from(calibration.anchors)).toEqual([5000, 9500, 9900, 9990])
    expect(calibration.quantiles).toHaveLength(1001)
    expect(calibration.quantile9995).toBe(9995)
    expect(calibration.maximum).toBe(10_000)
  })

  test('with fewer than 5,000 rows the top anchor is the maximum', () => {
    const { anchors } = fitCalibration(ramp.subarray(0, 4001), 0.05)
    expect(Array.from(anchors)).toEqual([2000, 3800, 3960, 4000])
  })

  test('the anchors map to 0, 0.60, 0.85 and 1, linearly between', () => {
    const { anchors } = fitCalibration(ramp, 0.05)
    const raw = Float64Array.of(-5, 5000, 7250, 9500, 9700, 9900, 9945, 9990, 1e9)
    const expected = [0, 0, 0.3, 0.6, 0.725, 0.85, 0.925, 1, 1]
    const found = calibrateScores(raw, anchors)
    for (const [i, score] of expected.entries()) expect(found[i]).toBeCloseTo(score, 12)
  })

  test('a score is above 0.60 exactly when the raw score is above the flag anchor', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.boolean(), (seed, isNear) => {
        const scores = uniformScores(500, seed)
        const { anchors } = fitCalibration(scores)
        const flag = anchors[1] ?? 0
        const raw = isNear ? flag * (1 + Number.EPSILON) : (scores[0] ?? 0)
        expect(calibrate(raw, anchors) > 0.6).toBe(raw > flag)
        expect(calibrate(flag, anchors)).toBe(0.6)
      }),
    )
  })

  test('calibration never reverses an order', () => {
    const { anchors } = fitCalibration(uniformScores(2000, 4))
    const sorted = uniformScores(5000, 5).sort()
    const calibrated = calibrateScores(sorted, anchors)
    expect(calibrated).toEqual(calibrated.slice().sort())
    expect(calibrated.every((score) => score >= 0 && score <= 1)).toBe(true)
  })

  test('another contamination gives what a new fit would give', () => {
    const scores = uniformScores(7000, 6)
    for (const contamination of [0.01, 0.013, 0.03, 0.1]) {
      const fresh = fitCalibration(scores, contamination)
      expect(withContamination(fitCalibration(scores, 0.05), contamination)).toEqual(fresh)
    }
  })

  test('a share c of the calibration set lies above 0.60', () => {
    const scores = uniformScores(20_000, 7)
    const { anchors } = fitCalibration(scores, 0.03)
    const flagged = calibrateScores(scores, anchors).filter((score) => score > 0.6).length
    expect(flagged).toBe(600)
  })

  test('scores with too few distinct values fail with a typed error', () => {
    const fit = () => fitCalibration(new Float64Array(100).fill(0.5))
    expect(fit).toThrow(AnomalyError)
    expect(fit).toThrow(expect.objectContaining({ code: 'CALIBRATION_NOT_INCREASING' }))
  })

  test('NaN, an empty set and a contamination outside (0, 0.5) are refused', () => {
    expect(() => fitCalibration(Float64Array.of(1, Number.NaN))).toThrow('raw score 1 is NaN')
    expect(() => fitCalibration(new Float64Array())).toThrow('at least 1 row')
    expect(() => fitCalibration(ramp, 0.5)).toThrow('contamination')
    expect(calibrate(Number.NaN, fitCalibration(ramp).anchors)).toBeNaN()
  })
})
