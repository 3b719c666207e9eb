import type { LimitRule } from '../contracts/index.ts'

/** A limit that a feature row breaks. */
export type BrokenLimit = {
  readonly feature: string
  readonly value: number
  readonly limit: number
  readonly direction: 'high' | 'low'
}

/** Result of plain limits on a feature row. */
export type LimitVerdict =
  /** No feature of the rules has a value: silence is no all-clear (SRV-36). */
  | { readonly kind: 'not_evaluated' }
  | { readonly kind: 'evaluated'; readonly broken: readonly BrokenLimit[] }

function brokenLimit(rule: LimitRule, value: number): BrokenLimit | undefined {
  const { feature, above, below } = rule
  if (above !== undefined && value > above)
    return { feature, value, limit: above, direction: 'high' }
  if (below !== undefined && value < below)
    return { feature, value, limit: below, direction: 'low' }
  return undefined
}

/**
 * Evaluates plain limits on one feature row: the fallback when no fresh score exists (SRV-36) and
 * the yardstick that models must beat (MOD-14). A null value breaks nothing; a rule is skipped
 * while its `unlessPositive` feature is above zero.
 */
export function evaluateLimitRules(
  rules: readonly LimitRule[],
  row: Readonly<Record<string, number | null | undefined>>,
): LimitVerdict {
  const measured = (name: string): number | undefined => {
    const value = row[name]
    return value === null || value === undefined || Number.isNaN(value) ? undefined : value
  }
  if (rules.every(({ feature }) => measured(feature) === undefined))
    return { kind: 'not_evaluated' }
  const broken = rules.flatMap((rule) => {
    const value = measured(rule.feature)
    const isSkipped = rule.unlessPositive !== undefined && (measured(rule.unlessPositive) ?? 0) > 0
    if (value === undefined || isSkipped) return []
    return brokenLimit(rule, value) ?? []
  })
  return { kind: 'evaluated', broken }
}

/** Score of the yardstick by the number of broken rules, MOD-14. */
export function yardstickScore(brokenCount: number): number {
  if (brokenCount === 0) return 0
  if (brokenCount === 1) return 0.65
  return brokenCount === 2 ? 0.75 : 0.9
}
