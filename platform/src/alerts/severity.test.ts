import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { severityRank } from '../objects/index.ts'
import { batchSeverity, candidateSeverity, isSustained } from './severity.ts'
import { minuteMs, scoredWindow, startMs } from './test-support.ts'

describe('severity of batch evidence (SRV-39)', () => {
  it.each([
    [0.96, 2, false, 'CRITICAL'],
    [0.95, 2, false, 'HIGH'],
    [0.99, 1, true, 'HIGH'],
    [0.99, 1, false, 'MEDIUM'],
    [0.86, 2, false, 'HIGH'],
    [0.85, 2, false, 'MEDIUM'],
    [0.85, 1, true, 'MEDIUM'],
    [0.71, 1, false, 'MEDIUM'],
    [0.7, 1, false, 'LOW'],
    [0.65, 2, false, 'MEDIUM'],
    [0.61, 1, false, 'LOW'],
  ] as const)(
    'score %f of %i families, sustained %s, is %s',
    (score, familyCount, sustained, expected) => {
      expect(batchSeverity({ score, familyCount, sustained })).toBe(expected)
    },
  )

  it('never falls when the score, the families or the witnesses rise', () => {
    const evidence = fc.record({
      score: fc.double({ min: 0.6, max: 1, noNaN: true }),
      familyCount: fc.integer({ min: 1, max: 4 }),
      sustained: fc.boolean(),
    })
    fc.assert(
      fc.property(evidence, evidence, (left, right) => {
        const worst = {
          score: Math.max(left.score, right.score),
          familyCount: Math.max(left.familyCount, right.familyCount),
          sustained: left.sustained || right.sustained,
        }
        const rank = severityRank(batchSeverity(worst))
        expect(rank).toBeGreaterThanOrEqual(severityRank(batchSeverity(left)))
        expect(rank).toBeGreaterThanOrEqual(severityRank(batchSeverity(right)))
      }),
    )
  })

  it('keeps rows of low confidence at MEDIUM at most, alone or together (SRV-5)', () => {
    const low = { score: 0.99, confidence: 'low' } as const
    const rows = [
      scoredWindow('D', low),
      scoredWindow('D', { ...low, modelId: 'statistical_baseline' }),
    ]
    expect(candidateSeverity(rows, () => undefined)).toBe('MEDIUM')
    const sure = rows.map((row) => ({ ...row, confidence: 'normal' as const }))
    expect(candidateSeverity(sure, () => undefined)).toBe('CRITICAL')
    expect(candidateSeverity([rows[0]!, sure[1]!], () => undefined)).toBe('MEDIUM')
  })

  it('counts a family with two durations once', () => {
    const rows = [
      scoredWindow('D', { score: 0.97 }),
      scoredWindow('D', { score: 0.97, durationMinutes: 15 }),
    ]
    expect(candidateSeverity(rows, () => undefined)).toBe('MEDIUM')
  })

  it('calls evidence sustained only by the same family and duration within 90 minutes', () => {
    const row = scoredWindow('D', { score: 0.9 })
    const previous = (score: number, minutesAgo: number) => () => ({
      score,
      windowEndMs: startMs - minutesAgo * minuteMs,
    })
    expect(isSustained(row, previous(0.86, 60))).toBe(true)
    expect(isSustained(row, previous(0.86, 90))).toBe(true)
    expect(isSustained(row, previous(0.86, 91))).toBe(false)
    expect(isSustained(row, previous(0.85, 60))).toBe(false)
    expect(isSustained(row, previous(0.9, 0))).toBe(false)
    const day = scoredWindow('D', { score: 0.9, durationMinutes: 1_440 })
    expect(isSustained(day, previous(0.9, 26 * 60))).toBe(true)
    expect(isSustained({ ...row, score: 0.85 }, previous(0.9, 60))).toBe(false)
  })
})
