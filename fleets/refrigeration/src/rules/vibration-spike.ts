import type { RulePhase, StreamRule } from 'isotherm/contracts'

const bucketMs = 300_000
/** Above this a rule without enough history fires as well, mm/s. */
const absoluteLimit = 20

/** Number of a five-minute bucket with the sum and count of its readings. */
type Bucket = readonly [index: number, sum: number, count: number]

type State = {
  readonly phase: RulePhase
  readonly firstMs: number
  readonly lastMs: number
  readonly calm: number
  /** Oldest first; those of the newest five to ten minutes are not part of the mean yet. */
  readonly buckets: readonly Bucket[]
  /** Bucket for which `mean` and `count` over (t-24 h, t-5 min] hold. */
  readonly index: number
  readonly mean: number
  readonly count: number
}

function moveWindow(state: State, index: number): State {
  if (index === state.index) return state
  const buckets = state.buckets.filter(([i]) => i >= index - 288)
  const settled = buckets.filter(([i]) => i <= index - 2)
  const count = settled.reduce((total, bucket) => total + bucket[2], 0)
  const sum = settled.reduce((total, bucket) => total + bucket[1], 0)
  return { ...state, buckets, index, count, mean: count === 0 ? 0 : sum / count }
}

function addReading(buckets: readonly Bucket[], timeMs: number, value: number): readonly Bucket[] {
  const index = Math.floor(timeMs / bucketMs)
  const at = buckets.findLastIndex((bucket) => bucket[0] <= index)
  const found = buckets[at]
  if (found?.[0] !== index) return buckets.toSpliced(at + 1, 0, [index, value, 1])
  return buckets.with(at, [index, found[1] + value, found[2] + 1])
}

/** SRV-17: the compressor vibrates far more than its own mean of the last 24 hours. */
export const vibrationSpike: StreamRule<State> = {
  id: 'VIBRATION_SPIKE',
  sensor: 'vibration_compressor',
  group: 'compressor',
  version: '1.0.0',
  thresholds: { vibration_multiplier: 3, vibration_floor_mm_s: 4.5 },
  empty: () => ({
    ...{ phase: 'inactive', firstMs: 0, lastMs: 0, calm: 0 },
    ...{ buckets: [], index: 0, mean: 0, count: 0 },
  }),
  step(previous, reading, thresholds) {
    const value = reading.values.vibration_compressor
    const { timeMs } = reading
    const isOld = timeMs <= previous.lastMs
    if (typeof value !== 'number' || timeMs < previous.lastMs - 120_000) {
      return { state: previous, phase: previous.phase, fired: false }
    }
    const state = isOld ? previous : moveWindow(previous, Math.floor(timeMs / bucketMs))
    const firstMs = state.firstMs || timeMs
    const isWarm = timeMs - firstMs >= 288 * bucketMs && state.count >= 360
    const { vibration_multiplier = 3, vibration_floor_mm_s = 4.5 } = thresholds
    const ownLimit = Math.max(vibration_multiplier * state.mean, vibration_floor_mm_s)
    const limit = isWarm ? ownLimit : absoluteLimit
    const running = Number(reading.values.current_compressor ?? 0) >= 0.5
    const isBreach = value > limit
    const buckets = running && !isBreach ? addReading(state.buckets, timeMs, value) : state.buckets
    // A reading up to two minutes older than the newest joins the mean and is not judged, SRV-14.
    if (isOld) return { state: { ...state, buckets }, phase: state.phase, fired: false }

    const calmLimit = isWarm ? 2 * state.mean : absoluteLimit
    const calm = value > calmLimit ? 0 : state.calm + (running ? 1 : 0)
    const wasFiring = state.phase === 'firing'
    const fired = isBreach && reading.mayFire && !wasFiring
    const phase: RulePhase =
      fired || (wasFiring && calm < 5) ? 'firing' : isWarm ? 'idle' : 'warming'
    const next = { ...state, phase, firstMs, lastMs: timeMs, calm, buckets }
    if (!fired) return { state: next, phase, fired }
    const usual = isWarm ? `, usual is ${state.mean.toFixed(1)} mm/s` : ''
    const reason = `Compressor vibration is ${value.toFixed(1)} mm/s, above the limit of ${limit.toFixed(1)} mm/s${usual}`
    return { state: next, phase, fired, reason }
  },
}
