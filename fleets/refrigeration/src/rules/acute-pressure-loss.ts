import type { LiveReading, RulePhase, StreamRule } from 'isotherm/contracts'

/** One reading of the window; `running` is null until a compressor current is known. */
type Sample = readonly [timeMs: number, pressure: number, running: boolean | null]

type State = {
  readonly phase: RulePhase
  readonly lastMs: number
  readonly samples: readonly Sample[]
  readonly running: boolean | null
  readonly runningSeenMs: number
  readonly defrostSeenMs: number
  readonly breaches: number
  readonly calm: number
  /** While firing: since when, and the maximum the pressure fell from. */
  readonly firedMs: number
  readonly fellFrom: number
}

function observe(state: State, { timeMs, values }: LiveReading, windowMs: number): State {
  const current = values.current_compressor
  const isKnown = typeof current === 'number'
  // A missing current keeps the last state for a while: a normal start pulls the pressure down by
  // more than the limit, so the reading before it must not pass for a running one.
  const carried = timeMs - state.runningSeenMs <= windowMs ? state.running : null
  const hadGap = timeMs - state.lastMs > 600_000
  return {
    ...state,
    phase:
      state.phase === 'inactive' || (hadGap && state.phase === 'pending') ? 'idle' : state.phase,
    breaches: hadGap ? 0 : state.breaches,
    samples: state.samples.filter((sample) => sample[0] >= timeMs - windowMs),
    running: isKnown ? current >= 0.5 : carried,
    runningSeenMs: isKnown ? timeMs : state.runningSeenMs,
    defrostSeenMs: values.defrost_cycle === true ? timeMs : state.defrostSeenMs,
  }
}

function canJudge(state: State, { timeMs, mayFire }: LiveReading): boolean {
  const first = state.samples[0]
  if (first === undefined || state.samples.length < 3 || !mayFire) return false
  if (timeMs - first[0] < 120_000) return false
  if (timeMs - state.defrostSeenMs < 900_000) return false
  return state.samples.every((sample) => sample[2] === state.running)
}

/** SRV-18: the low side lost pressure within minutes while the compressor did not switch. */
export const acutePressureLoss: StreamRule<State> = {
  id: 'ACUTE_PRESSURE_LOSS',
  sensor: 'pressure_low_side',
  group: 'pressure',
  version: '1.0.0',
  thresholds: { pressure_drop_fraction: 0.3, pressure_drop_window_minutes: 5 },
  empty: () => ({
    ...{ phase: 'inactive', lastMs: 0, samples: [], running: null, runningSeenMs: 0 },
    ...{ defrostSeenMs: 0, breaches: 0, calm: 0, firedMs: 0, fellFrom: 0 },
  }),
  step(previous, reading, thresholds) {
    const { timeMs, values } = reading
    const pressure = values.pressure_low_side
    if (timeMs <= previous.lastMs) return { state: previous, phase: previous.phase, fired: false }
    const windowMs = (thresholds.pressure_drop_window_minutes ?? 5) * 60_000
    const state = observe(previous, reading, windowMs)
    if (typeof pressure !== 'number') {
      const phase = previous.phase === 'inactive' ? 'inactive' : state.phase
      return { state: { ...state, phase }, phase, fired: false }
    }
    const highest = state.samples.reduce((most, sample) => Math.max(most, sample[1]), 0)
    const limit = (1 - (thresholds.pressure_drop_fraction ?? 0.3)) * highest
    // While the compressor state is only assumed, a start could hide in the gap.
    const isAssumed = state.running !== null && state.runningSeenMs !== timeMs
    const isBreach = !isAssumed && canJudge(state, reading) && pressure < limit
    const breaches = isBreach ? state.breaches + 1 : isAssumed ? state.breaches : 0
    const wasFiring = state.phase === 'firing'
    const fired = !wasFiring && breaches >= (state.running === null ? 3 : 2)
    const calm = pressure >= 0.85 * state.fellFrom ? state.calm + 1 : 0
    const stays = wasFiring && calm < 5 && timeMs - state.firedMs < 1_800_000
    const phase: RulePhase = fired || stays ? 'firing' : breaches > 0 ? 'pending' : 'idle'
    const samples = [...state.samples, [timeMs, pressure, state.running] as const]
    const origin = fired ? { firedMs: timeMs, fellFrom: highest, calm: 0 } : { calm }
    const next = { ...state, ...origin, phase, lastMs: timeMs, samples, breaches }
    if (!fired) return { state: next, phase, fired }
    const reason = `Low-side pressure fell from ${highest.toFixed(0)} to ${pressure.toFixed(0)} kPa within ${windowMs / 60_000} min, below the limit of ${limit.toFixed(0)} kPa`
    return { state: next, phase, fired, reason }
  },
}
