import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Stratum, stratumQuotas } from './stratified-sample.ts'

const strata = fc
  .array(
    fc.record({
      week: fc.constantFrom('2026-01-05', '2026-01-12', '2026-01-19'),
      equipment: fc.constantFrom('A', 'B', 'C'),
      mode: fc.constantFrom('normal', 'defrost'),
      rowCount: fc.integer({ min: 1, max: 500 }),
    }),
    { minLength: 1, maxLength: 18 },
  )
  .map((all): readonly Stratum[] => [
    ...new Map(all.map((item) => [`${item.week}${item.equipment}${item.mode}`, item])).values(),
  ])

describe('the stratified sample (MOD-33)', () => {
  it('draws exactly the limit, or everything, and never more than a stratum has', () => {
    fc.assert(
      fc.property(strata, fc.integer({ min: 1, max: 3_000 }), (all, limit) => {
        const quotas = stratumQuotas(all, limit)
        const total = all.reduce((sum, { rowCount }) => sum + rowCount, 0)
        expect(quotas.reduce((sum, quota) => sum + quota, 0)).toBe(Math.min(limit, total))
        for (const [index, quota] of quotas.entries()) {
          expect(quota).toBeLessThanOrEqual(all[index]?.rowCount ?? 0)
        }
      }),
    )
  })

  it('gives weeks equal shares, and inside a week equipment its natural share', () => {
    const quotas = stratumQuotas(
      [
        { week: 'w1', equipment: 'A', mode: '', rowCount: 7_500 },
        { week: 'w1', equipment: 'B', mode: '', rowCount: 2_500 },
        { week: 'w2', equipment: 'A', mode: '', rowCount: 1_000 },
      ],
      1_000,
    )
    expect([...quotas]).toEqual([375, 125, 500])
  })

  it('passes on what a short week cannot give', () => {
    const quotas = stratumQuotas(
      [
        { week: 'w1', equipment: 'A', mode: '', rowCount: 100 },
        { week: 'w2', equipment: 'A', mode: '', rowCount: 9_000 },
      ],
      1_000,
    )
    expect([...quotas]).toEqual([100, 900])
  })
})
