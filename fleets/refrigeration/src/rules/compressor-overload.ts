import type { RulePhase, StreamRule } from 'isotherm/contracts'

type State = {
  readonly phase: RulePhase
  readonly lastMs: number
  readonly breaches: number
  readonly calm: number
}

/** SRV-16: the compressor draws more current than its limit. */
export const compressorOverload: StreamRule<State> = {
  id: 'COMPRESSOR_OVERLOAD',
  sensor: 'current_compressor',
  group: 'compressor',
  version: '1.0.0',
  thresholds: { current_threshold_amps: 40, debounce_readings: 1 },
  empty: () => ({ phase: 'inactive', lastMs: 0, breaches: 0, calm: 0 }),
  step(state, { timeMs, values, mayFire }, thresholds) {
    const current = values.current_compressor
    if (typeof current !== 'number' || timeMs <= state.lastMs) {
      return { state, phase: state.phase, fired: false }
    }
    const limit = thresholds.current_threshold_amps ?? 40
    const earlier = timeMs - state.lastMs > 600_000 ? 0 : state.breaches
    const breaches = mayFire && current > limit ? earlier + 1 : 0
    const calm = current <= 0.95 * limit ? state.calm + 1 : 0
    const isFiring = breaches >= (thresholds.debounce_readings ?? 1)
    const wasFiring = state.phase === 'firing'
    const phase: RulePhase =
      (wasFiring && calm < 5) || isFiring ? 'firing' : breaches > 0 ? 'pending' : 'idle'
    const next = { phase, lastMs: timeMs, breaches, calm }
    if (wasFiring || !isFiring) return { state: next, phase, fired: false }
    const reason = `Compressor current is ${current.toFixed(1)} A, above the limit of ${limit} A`
    return { state: next, phase, fired: true, reason }
  },
}
