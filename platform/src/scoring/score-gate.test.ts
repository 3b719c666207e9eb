import { describe, expect, it } from 'vitest'
import { checkScores } from './score-gate.ts'
import type { ScoreColumns } from './score-table.ts'

function columns(changes: Partial<ScoreColumns> = {}): ScoreColumns {
  return {
    deviceIds: ['a', 'a', 'b'],
    cohortIds: [null, null, null],
    windowStartMs: Float64Array.of(0, 900_000, 0),
    sensorCompleteness: new Float64Array(3).fill(1),
    scores: Float64Array.of(0, 1, 0.5),
    rawScores: Float64Array.of(1, 2, 3),
    scopes: new Float64Array(3),
    isEligible: new Float64Array(3),
    explanations: new Float64Array(3).fill(-1),
    ...changes,
  }
}

describe('the gate before a commit (SRV-10)', () => {
  it('passes good rows and remembers the last one', () => {
    expect(checkScores('m', columns())).toEqual({ deviceId: 'b', windowStartMs: 0 })
  })

  it.each([Number.NaN, -0.1, 1.1, Number.POSITIVE_INFINITY])('refuses a score of %s', (score) => {
    const scores = Float64Array.of(0, score, 0.5)
    expect(() => checkScores('m', columns({ scores }))).toThrow(
      /^scores of m: a at 1970-01-01T00:15/,
    )
  })

  it('refuses a raw score that is not finite', () => {
    const rawScores = Float64Array.of(1, Number.NaN, 3)
    expect(() => checkScores('m', columns({ rawScores }))).toThrow(/raw NaN/)
  })

  it('refuses a window that occurs twice, also across batches', () => {
    const windowStartMs = Float64Array.of(900_000, 900_000, 0)
    expect(() => checkScores('m', columns({ windowStartMs }))).toThrow(/twice in device_features/)
    const previous = { deviceId: 'a', windowStartMs: 0 }
    expect(() => checkScores('m', columns(), previous)).toThrow(/twice/)
  })
})
