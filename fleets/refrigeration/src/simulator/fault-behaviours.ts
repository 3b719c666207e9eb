import type { Effects } from './effects.ts'
import type { FaultModeName } from './fault-modes.ts'
import { gauge } from './operating-point.ts'
import type { RandomStream } from './random-stream.ts'
import type { Unit } from './unit.ts'

/** Where a fault stands in the current minute. */
export type FaultMoment = {
  readonly timeMs: number
  /** Minutes since onset. */
  readonly minutes: number
  /**
   * Hours the fault has developed, on the time scale of MON-64: at the failure it equals the
   * mode's `hoursToFailure`, however fast this unit got there.
   */
  readonly hours: number
  readonly hasFailed: boolean
  readonly unit: Unit
  /** The fault's own stream, so that it leaves the noise of the unit alone. */
  readonly random: RandomStream
}

/** What a fault does in a minute; made anew per fault, so it may keep state. */
export type FaultBehaviour = (moment: FaultMoment, effects: Effects) => void

/** Compressor off for good; the coil warms by `rate` K a minute. */
function stopCompressor(effects: Effects, rate: number): void {
  effects.compressor = 'off'
  effects.defrost = 'blocked'
  effects.warmRate = Math.max(effects.warmRate, rate)
}

function multiply(effects: Effects, index: number, factor: number): void {
  effects.factor[index] = effects.factor[index]! * factor
}

function add(effects: Effects, index: number, offset: number): void {
  effects.offset[index] = effects.offset[index]! + offset
}

function vibrationSpike({ hasFailed }: FaultMoment, effects: Effects): void {
  if (hasFailed) {
    stopCompressor(effects, 1)
    return
  }
  multiply(effects, gauge.vibration, 4)
  multiply(effects, gauge.current, 1.5)
}

function refrigerantLeak({ hours }: FaultMoment, effects: Effects): void {
  multiply(effects, gauge.lowSide, Math.max(0.3, 1 - 0.03 * hours))
  multiply(effects, gauge.highSide, Math.max(0.8, 1 - 0.004 * hours))
  add(effects, gauge.evaporator, 0.5 * hours)
  add(effects, gauge.superheat, Math.min(14, 0.35 * hours))
  add(effects, gauge.subcooling, -Math.min(5, 0.15 * hours))
  add(effects, gauge.discharge, Math.min(12, 0.3 * hours))
  effects.runFactor = 1 + Math.min(2, 0.05 * hours)
  effects.restFactor = 1 / (1 + Math.min(1.5, 0.04 * hours))
}

function temperatureDrift({ hours }: FaultMoment, effects: Effects): void {
  add(effects, gauge.evaporator, 0.2 * hours)
  add(effects, gauge.suction, -0.05 * hours)
  effects.defrostsMore = 1 + hours / 72
  effects.runFactor = 1 + hours / 144
}

function bearingWear({ hours, hasFailed }: FaultMoment, effects: Effects): void {
  if (hasFailed) {
    stopCompressor(effects, 1)
    return
  }
  const growth = 1.02 ** hours
  multiply(effects, gauge.vibration, growth)
  multiply(effects, gauge.current, 1 + 0.04 * (growth - 1))
}

/** Seizes at the next moment of running; a resting compressor seizes as it starts. */
function compressorSeizure(): FaultBehaviour {
  let lockedReadings = 0
  return ({ unit }, effects) => {
    effects.defrost = 'blocked'
    if (lockedReadings === 2) {
      stopCompressor(effects, 2.5)
      return
    }
    effects.compressor = 'on'
    lockedReadings += 1
    // A locked rotor draws 3.5 times the usual current, on small units more: about 47 A.
    const usual = Math.max(8, unit.level[gauge.current]!)
    multiply(effects, gauge.current, Math.max(3.5, 47 / usual))
  }
}

/** Both pressures fall by 40 % in 4 min, once the compressor has run for 6 min away from defrost. */
function acuteLeak(): FaultBehaviour {
  let startMinutes: number | undefined
  return ({ minutes, unit, hasFailed }, effects) => {
    effects.defrost = 'blocked'
    effects.compressor = 'on'
    const isMidRun = unit.running && unit.stateMinutes >= 6 && unit.sinceDefrost > 20
    if (startMinutes === undefined && isMidRun) startMinutes = minutes
    if (startMinutes === undefined) return
    const since = minutes - startMinutes + 1
    const loss = 0.4 * Math.min(1, since / 4) + Math.min(0.25, Math.max(0, since - 4) * 0.004)
    multiply(effects, gauge.lowSide, 1 - loss)
    multiply(effects, gauge.highSide, 1 - loss)
    add(effects, gauge.superheat, Math.min(14, 1.5 * since))
    add(effects, gauge.subcooling, -Math.min(5, 0.8 * since))
    if (since > 3) effects.warmRate = hasFailed ? 1 : 0.8
  }
}

function condenserFouling({ hours, hasFailed }: FaultMoment, effects: Effects): void {
  // The pressure switch locks the compressor out.
  if (hasFailed) {
    stopCompressor(effects, 1)
    return
  }
  const share = hours / 48
  add(effects, gauge.condenser, 8 * share)
  add(effects, gauge.discharge, 15 * share)
  multiply(effects, gauge.highSide, 1 + 0.2 * share)
  multiply(effects, gauge.current, 1 + 0.15 * share)
}

/** Swings of 4 min whose phase slips, as a minute's sampling would else hide or freeze them. */
function valveHunting(): FaultBehaviour {
  let phase = 0.4
  return ({ hours, hasFailed, random }, effects) => {
    if (hasFailed) {
      stopCompressor(effects, 1)
      return
    }
    phase += 0.25 + 0.02 * random.normal()
    const swing = Math.min(1, 0.2 + hours / 12) * Math.sin(2 * Math.PI * phase)
    add(effects, gauge.superheat, 6 * swing)
    add(effects, gauge.suction, 2 * swing)
    add(effects, gauge.evaporator, 0.6 * swing)
    multiply(effects, gauge.lowSide, 1 + 0.05 * swing)
  }
}

function liquidSlugging({ hours, hasFailed }: FaultMoment, effects: Effects): void {
  if (hasFailed) {
    stopCompressor(effects, 1)
    return
  }
  const share = Math.min(1, 0.3 + hours / 8)
  add(effects, gauge.superheat, -6.5 * share)
  multiply(effects, gauge.superheat, 1 - 0.5 * share)
  add(effects, gauge.superheat, 3.5 * share)
  add(effects, gauge.discharge, -20 * share)
  multiply(effects, gauge.vibration, 1 + 0.25 * share)
}

function shortCycling({ hours, hasFailed }: FaultMoment, effects: Effects): void {
  if (hasFailed) {
    stopCompressor(effects, 1)
    return
  }
  const share = Math.min(1, 0.5 + hours / 6)
  effects.runFactor = 1 - 0.9 * share
  effects.restFactor = 1 - 0.83 * share
}

function stuckDefrost({ minutes }: FaultMoment, effects: Effects): void {
  effects.defrost = 'forced'
  // The ice holds the coil at the usual end temperature for about an hour; then it runs away.
  if (minutes > 63) effects.defrostGoal = 40
}

function doorLeftOpen({ minutes }: FaultMoment, effects: Effects): void {
  if (minutes < 120) effects.door = 'open'
}

function bufferedReplay({ timeMs, minutes }: FaultMoment, effects: Effects): void {
  if (minutes < 360) effects.heldUntilMs = timeMs + (360 - minutes) * 60_000
}

function compressorStart({ minutes }: FaultMoment, effects: Effects): void {
  if (minutes < 25) effects.compressor = minutes < 15 ? 'off' : 'on'
}

function stateless(behaviour: FaultBehaviour): () => FaultBehaviour {
  return () => behaviour
}

/** What each mode does to a unit; a new behaviour per fault, because some keep state. */
export const faultBehaviours: Readonly<Record<FaultModeName, () => FaultBehaviour>> = {
  compressor_vibration_spike: stateless(vibrationSpike),
  refrigerant_leak: stateless(refrigerantLeak),
  temperature_drift: stateless(temperatureDrift),
  sensor_failure: stateless((_, effects) => {
    effects.stuckEvaporator = -25
  }),
  intermittent_dropout: stateless((_, effects) => {
    effects.emptyShare = 0.3
  }),
  bearing_wear: stateless(bearingWear),
  compressor_seizure: compressorSeizure,
  acute_leak: acuteLeak,
  condenser_fouling: stateless(condenserFouling),
  valve_hunting: valveHunting,
  liquid_slugging: stateless(liquidSlugging),
  short_cycling: stateless(shortCycling),
  door_left_open: stateless(doorLeftOpen),
  stuck_defrost: stateless(stuckDefrost),
  power_loss: stateless((_, effects) => {
    effects.silent = true
  }),
  firmware_rescale: stateless((_, effects) => multiply(effects, gauge.lowSide, 0.4)),
  clock_drift: stateless((_, effects) => {
    effects.clockAheadMs = 26 * 3_600_000
  }),
  normal_defrost: stateless(({ minutes }, effects) => {
    if (minutes < 30) effects.defrost = 'forced'
  }),
  compressor_start: stateless(compressorStart),
  door_session: stateless(({ minutes }, effects) => {
    if (minutes < 5) effects.door = 'open'
  }),
  buffered_replay: stateless(bufferedReplay),
  season_change: stateless(({ hours }, effects) => {
    effects.ambientRise = Math.min(6, hours / 20)
  }),
}
