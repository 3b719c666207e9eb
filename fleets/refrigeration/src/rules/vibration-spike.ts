import type { RulePhase, StreamRule } from 'isotherm/contracts'

const bucketMs = 300_000
/** Above this a rule without enough history fires as well, mm/s. */
const absoluteLimit = 20

/** Buckets that the mean reaches back, 24 h. */
const windowBuckets = 288

type State = {
  readonly phase: RulePhase
  readonly firstMs: number
  readonly lastMs: number
  readonly calm: number
  /** Number of the newest bucket; `mean` and `count` over (t-24 h, t-5 min] hold for it. */
  readonly index: number
  readonly mean: number
  readonly count: number
  /**
   * Sum and count of each bucket up to `index - 2`, oldest first, without gaps. One flat list of
   * numbers, because every device of a fleet has one: 4.6 KB, and not copied with each reading.
   */
  readonly settled: readonly number[]
  /** Sum and count of the buckets `index - 1` and `index`, which are not part of the mean yet. */
  readonly open: readonly number[]
}

function moveWindow(state: State, index: number): State {
  if (index === state.index) return state
  const emptyCount = Math.min(index - state.index, windowBuckets)
  const buckets = [...state.settled, ...state.open, ...new Array<number>(2 * emptyCount).fill(0)]
  // Of the 288 buckets before the newest one, all but the last are part of the mean.
  const settled = buckets.slice(-2 * (windowBuckets + 1), -4)
  const total = (first: number) =>
    settled.reduce((sum, value, at) => (at % 2 === first ? sum + value : sum), 0)
  const count = total(1)
  return { ...state, index, settled, open: buckets.slice(-4), count, mean: total(0) / (count || 1) }
}

/** Adds a reading to its bucket, the newest or the one before: none is older, SRV-14. */
function addReading({ open, index }: State, timeMs: number, value: number): readonly number[] {
  const at = timeMs < index * bucketMs ? 0 : 2
  return open.with(at, open[at]! + value).with(at + 1, open[at + 1]! + 1)
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
    ...{ index: 0, mean: 0, count: 0, settled: [], open: [0, 0, 0, 0] },
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
    const isWarm = timeMs - firstMs >= windowBuckets * bucketMs && state.count >= 360
    const { vibration_multiplier = 3, vibration_floor_mm_s = 4.5 } = thresholds
    const ownLimit = Math.max(vibration_multiplier * state.mean, vibration_floor_mm_s)
    const limit = isWarm ? ownLimit : absoluteLimit
    const running = Number(reading.values.current_compressor ?? 0) >= 0.5
    const isBreach = value > limit
    const open = running && !isBreach ? addReading(state, timeMs, value) : state.open
    // A reading up to two minutes older than the newest joins the mean and is not judged, SRV-14.
    if (isOld) return { state: { ...state, open }, phase: state.phase, fired: false }

    const calmLimit = isWarm ? 2 * state.mean : absoluteLimit
    const calm = value > calmLimit ? 0 : state.calm + (running ? 1 : 0)
    const wasFiring = state.phase === 'firing'
    const fired = isBreach && reading.mayFire && !wasFiring
    const phase: RulePhase =
      fired || (wasFiring && calm < 5) ? 'firing' : isWarm ? 'idle' : 'warming'
    const next = { ...state, phase, firstMs, lastMs: timeMs, calm, open }
    if (!fired) return { state: next, phase, fired }
    const usual = isWarm ? `, usual is ${state.mean.toFixed(1)} mm/s` : ''
    const reason = `Compressor vibration is ${value.toFixed(1)} mm/s, above the limit of ${limit.toFixed(1)} mm/s${usual}`
    return { state: next, phase, fired, reason }
  },
}
