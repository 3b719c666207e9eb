import type { LiveReading, RulePhase, StreamRule } from 'isotherm/contracts'

const minuteMs = 60_000

type State = {
  readonly phase: RulePhase
  /** Newest reading with a temperature. */
  readonly lastMs: number
  readonly temperature: number
  /** Newest reading of the defrost sensor, since when it is on, and when it was last on. */
  readonly defrostKnownMs: number
  readonly defrostSinceMs: number | null
  readonly defrostSeenMs: number
  readonly riseSinceMs: number | null
  readonly riseFrom: number
  readonly calmSinceMs: number | null
}

function observeDefrost(state: State, { timeMs, values }: LiveReading): State {
  const defrost = values.defrost_cycle
  if (typeof defrost !== 'boolean') return state
  if (!defrost) return { ...state, defrostKnownMs: timeMs, defrostSinceMs: null }
  const defrostSinceMs = state.defrostSinceMs ?? timeMs
  return { ...state, defrostKnownMs: timeMs, defrostSinceMs, defrostSeenMs: timeMs }
}

/** In a defrost or within 15 min after it; a defrost of over 60 min is a stuck heater. */
function isGuarded(state: State, timeMs: number): boolean {
  if (state.defrostSinceMs !== null) return timeMs - state.defrostSinceMs < 60 * minuteMs
  return timeMs - state.defrostSeenMs < 15 * minuteMs
}

function sustainMs(state: State, reading: LiveReading, minutes: number): number {
  if (reading.timeMs - state.defrostKnownMs > 5 * minuteMs) return 6 * minuteMs
  return (reading.values.door_open_close === true ? 5 : minutes) * minuteMs
}

/** SRV-19: the evaporator warms so fast that nothing cools any more. */
export const totalCoolingLoss: StreamRule<State> = {
  id: 'TOTAL_COOLING_LOSS',
  sensor: 'temperature_evaporator',
  group: 'temperature',
  version: '1.0.0',
  thresholds: { temp_rise_rate_c_per_min: 2, temp_rise_sustain_minutes: 3 },
  empty: () => ({
    ...{ phase: 'inactive', lastMs: 0, temperature: 0, defrostKnownMs: 0, defrostSinceMs: null },
    ...{ defrostSeenMs: 0, riseSinceMs: null, riseFrom: 0, calmSinceMs: null },
  }),
  step(previous, reading, thresholds) {
    const { timeMs, values, mayFire } = reading
    const temperature = values.temperature_evaporator
    if (timeMs <= previous.lastMs) return { state: previous, phase: previous.phase, fired: false }
    const state = observeDefrost(previous, reading)
    if (typeof temperature !== 'number') return { state, phase: state.phase, fired: false }
    const minutes = (timeMs - state.lastMs) / minuteMs
    const isStep = minutes >= 0.5 && minutes <= 2.5
    const rate = (temperature - state.temperature) / minutes
    const limit = thresholds.temp_rise_rate_c_per_min ?? 2
    const isRise = isStep && mayFire && rate > limit && !isGuarded(state, timeMs)
    const riseSinceMs = isRise ? (state.riseSinceMs ?? state.lastMs) : null
    const riseFrom = state.riseSinceMs === null ? state.temperature : state.riseFrom
    const needMs = sustainMs(state, reading, thresholds.temp_rise_sustain_minutes ?? 3)
    const wasFiring = state.phase === 'firing'
    const fired = !wasFiring && riseSinceMs !== null && timeMs - riseSinceMs >= needMs
    const calmSinceMs = isStep && rate <= 0.5 ? (state.calmSinceMs ?? state.lastMs) : null
    const isCalm = calmSinceMs !== null && timeMs - calmSinceMs >= 5 * minuteMs
    const phase: RulePhase =
      fired || (wasFiring && !isCalm) ? 'firing' : riseSinceMs === null ? 'idle' : 'pending'
    const next = {
      ...{ ...state, phase, lastMs: timeMs, temperature },
      ...{ riseSinceMs, riseFrom, calmSinceMs },
    }
    if (!fired) return { state: next, phase, fired }
    const reason = `Evaporator warmed from ${riseFrom.toFixed(1)} to ${temperature.toFixed(1)} °C in ${Math.round((timeMs - riseSinceMs) / minuteMs)} min, faster than the limit of ${limit} °C/min`
    return { state: next, phase, fired, reason }
  },
}
