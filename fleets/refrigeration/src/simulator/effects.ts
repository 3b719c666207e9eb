import { gaugeCount } from './operating-point.ts'

/** What the active faults do to a unit in this minute; neutral values change nothing. */
export type Effects = {
  /** Per gauge: value x factor + offset. */
  readonly factor: Float64Array
  readonly offset: Float64Array
  /** Room warmer than usual, K; reaches the other gauges as weather does. */
  ambientRise: number
  compressor: 'auto' | 'on' | 'off'
  /** Stretches running and resting time. */
  runFactor: number
  restFactor: number
  defrost: 'auto' | 'blocked' | 'forced'
  /** Divides the time between defrosts. */
  defrostsMore: number
  /** Temperature a defrost drives the coil to, °C. */
  defrostGoal: number
  door: 'auto' | 'open'
  /** Uncooled coil warms at most this much per minute, K; 0 while the unit cools. */
  warmRate: number
  /** Evaporator sensor reads this whatever happens. */
  stuckEvaporator: number | undefined
  /** Share of messages with no readings. */
  emptyShare: number
  silent: boolean
  /** Controller clock ahead by, ms. */
  clockAheadMs: number
  /** Messages are held back until then. */
  heldUntilMs: number
}

/** Effects of a healthy unit. */
export function neutralEffects(): Effects {
  return {
    factor: new Float64Array(gaugeCount).fill(1),
    offset: new Float64Array(gaugeCount),
    ambientRise: 0,
    compressor: 'auto',
    runFactor: 1,
    restFactor: 1,
    defrost: 'auto',
    defrostsMore: 1,
    defrostGoal: 8,
    door: 'auto',
    warmRate: 0,
    stuckEvaporator: undefined,
    emptyShare: 0,
    silent: false,
    clockAheadMs: 0,
    heldUntilMs: 0,
  }
}

/** Makes effects neutral again, so that faults can write them anew each minute. */
export function clearEffects(effects: Effects): void {
  const { factor, offset } = effects
  factor.fill(1)
  offset.fill(0)
  Object.assign(effects, { ...neutralEffects(), factor, offset })
}
