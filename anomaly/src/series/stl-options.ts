import { invalidOption } from '../errors.ts'

/** Options of the decomposition; names in brackets are statsmodels' of the same meaning. */
export type StlOptions = {
  /** Points in one season, ≥ 2; no default. */
  readonly period: number
  /** Span of the seasonal smoother, odd, ≥ 3; default 7 [`seasonal`]. */
  readonly seasonalSpan?: number
  /** Span of the trend smoother, odd, > period; default the least odd ≥ 1.5·period/(1 − 1.5/seasonalSpan) [`trend`]. */
  readonly trendSpan?: number
  /** Span of the low-pass smoother, odd, > period; default the least odd > period [`low_pass`]. */
  readonly lowPassSpan?: number
  /** 1 fits local lines, 0 local means; default 1 [`seasonal_deg`]. */
  readonly seasonalDegree?: 0 | 1
  /** As `seasonalDegree`, default 1 [`trend_deg`]. */
  readonly trendDegree?: 0 | 1
  /** As `seasonalDegree`, default 1 [`low_pass_deg`]. */
  readonly lowPassDegree?: 0 | 1
  /** Fit at every n-th point, straight lines between; default 1 [`seasonal_jump`]. */
  readonly seasonalJump?: number
  /** As `seasonalJump`, default 1 [`trend_jump`]. */
  readonly trendJump?: number
  /** As `seasonalJump`, default 1 [`low_pass_jump`]. */
  readonly lowPassJump?: number
  /** Lets outliers lose their weight; default false. */
  readonly isRobust?: boolean
  /** Rounds of seasonal and trend smoothing; default 5, robust 2 [`inner_iter`]. */
  readonly innerRounds?: number
  /** Rounds of weighting; default 0, robust 15 [`outer_iter`]. */
  readonly outerRounds?: number
}

/** Every option of the decomposition, given or by default. */
export type StlSettings = Required<StlOptions>

/**
 * Fills in defaults.
 * @throws INVALID_OPTION for a value outside its range
 */
export function stlSettings(options: StlOptions): StlSettings {
  const { period, seasonalSpan = 7, isRobust = false } = options
  requireCount('period', period, 2)
  requireSpan('seasonalSpan', seasonalSpan, 3)
  const trendSpan =
    options.trendSpan ?? oddFrom(Math.ceil((1.5 * period) / (1 - 1.5 / seasonalSpan)))
  const lowPassSpan = options.lowPassSpan ?? oddFrom(period + 1)
  requireSpan('trendSpan', trendSpan, Math.max(3, period + 1))
  requireSpan('lowPassSpan', lowPassSpan, Math.max(3, period + 1))
  const settings = {
    period,
    seasonalSpan,
    trendSpan,
    lowPassSpan,
    seasonalDegree: options.seasonalDegree ?? 1,
    trendDegree: options.trendDegree ?? 1,
    lowPassDegree: options.lowPassDegree ?? 1,
    seasonalJump: options.seasonalJump ?? 1,
    trendJump: options.trendJump ?? 1,
    lowPassJump: options.lowPassJump ?? 1,
    isRobust,
    innerRounds: options.innerRounds ?? (isRobust ? 2 : 5),
    outerRounds: options.outerRounds ?? (isRobust ? 15 : 0),
  }
  for (const name of ['seasonalDegree', 'trendDegree', 'lowPassDegree'] as const) {
    const degree: number = settings[name]
    if (degree !== 0 && degree !== 1) throw invalidOption(name, '0 or 1', degree)
  }
  for (const name of ['seasonalJump', 'trendJump', 'lowPassJump', 'innerRounds'] as const) {
    requireCount(name, settings[name], 1)
  }
  requireCount('outerRounds', settings.outerRounds, 0)
  return settings
}

function oddFrom(count: number): number {
  return count % 2 === 0 ? count + 1 : count
}

function requireCount(name: string, value: number, minimum: number): void {
  if (!Number.isInteger(value) || value < minimum) {
    throw invalidOption(name, `an integer ≥ ${minimum}`, value)
  }
}

function requireSpan(name: string, value: number, minimum: number): void {
  if (!Number.isInteger(value) || value < minimum || value % 2 === 0) {
    throw invalidOption(name, `an odd integer ≥ ${minimum}`, value)
  }
}
