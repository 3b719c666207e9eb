import { IsothermError } from '../contracts/index.ts'

const dayMs = 86_400_000

/** Longest data period of the models built here, MOD-2. */
const maxPeriodDays = 90

/** Days of history from which a split by MOD-34 is possible. */
const regularDays = 30

/** Days of history below which there is no gap and validation is advisory. */
const briefDays = 10

/** Training and validation in time, FEA-16: rows between the two are in neither. */
export type TrainingSplit = {
  /** `full` 90 days, `short` 30 to 90 (MOD-34), `reduced` 10 to 30, `brief` below. */
  readonly kind: 'full' | 'short' | 'reduced' | 'brief'
  readonly trainStartMs: number
  /** Training rows end at or before this instant. */
  readonly trainEndMs: number
  /** Validation rows start at or after this instant. */
  readonly validationStartMs: number
  readonly validationEndMs: number
}

/**
 * Temporal split of the data period that ends at `untilMs` (MOD-34, FEA-16, FEA-17). Below 30 days
 * the specification has no rule: 10 to 30 days keep a one-day gap, because consecutive windows
 * resemble each other; less than that trains on the first 80 % and validates on the rest.
 * @throws IsothermError INPUT_INVALID if there are fewer than five windows
 */
export function splitPeriod(options: {
  readonly firstWindowStartMs: number
  readonly untilMs: number
  readonly durationMinutes: number
}): TrainingSplit {
  const { firstWindowStartMs, untilMs, durationMinutes } = options
  const stepMs = durationMinutes * 60_000
  const endMs = Math.floor(untilMs / stepMs) * stepMs
  const firstMs = Math.ceil(firstWindowStartMs / stepMs) * stepMs
  const startMs = Math.max(firstMs, endMs - maxPeriodDays * dayMs)
  const days = (endMs - startMs) / dayMs
  if (!(endMs - startMs >= 5 * stepMs)) {
    throw new IsothermError(
      'INPUT_INVALID',
      `training on ${durationMinutes}-minute windows needs at least 5 of them before ${new Date(untilMs).toISOString()}, the features begin ${new Date(firstWindowStartMs).toISOString()}; wait for more data or import history`,
    )
  }
  if (days >= maxPeriodDays) return cutAtMidnight('full', startMs, endMs, 21, 7)
  if (days >= regularDays) {
    return cutAtMidnight('short', startMs, endMs, Math.max(5, 0.2 * days), 7)
  }
  if (days >= briefDays) {
    return cutAtMidnight('reduced', startMs, endMs, Math.max(2, 0.2 * days), 1)
  }
  const cutMs = startMs + Math.floor((0.8 * (endMs - startMs)) / stepMs) * stepMs
  return {
    kind: 'brief',
    trainStartMs: startMs,
    trainEndMs: cutMs,
    validationStartMs: cutMs,
    validationEndMs: endMs,
  }
}

function cutAtMidnight(
  kind: TrainingSplit['kind'],
  startMs: number,
  endMs: number,
  validationDays: number,
  gapDays: number,
): TrainingSplit {
  const cutMs = Math.floor((endMs - (validationDays + gapDays) * dayMs) / dayMs) * dayMs
  return {
    kind,
    trainStartMs: startMs,
    trainEndMs: cutMs,
    validationStartMs: cutMs + gapDays * dayMs,
    validationEndMs: endMs,
  }
}
