import type { DeviceRow } from 'isotherm/contracts'
import { advanceWander, drawNormals } from './correlated-noise.ts'
import { equipmentModels, shopOffsetHours, zoneAmbient } from './device-catalogue.ts'
import type { Effects } from './effects.ts'
import {
  dayAmplitude,
  gauge,
  gaugeCount,
  idleRate,
  idleShift,
  jitter,
  operatingPoints,
  perKelvin,
  runningLevel,
  runRate,
  wanderDeviation,
} from './operating-point.ts'
import { type RandomStream, randomStream } from './random-stream.ts'

/** State of one simulated unit; `values` holds what its gauges show in the current minute. */
export type Unit = {
  readonly noise: RandomStream
  readonly events: RandomStream
  readonly level: Float64Array
  readonly wander: Float64Array
  readonly transient: Float64Array
  readonly normals: Float64Array
  readonly values: Float64Array
  readonly runMinutes: number
  readonly restMinutes: number
  readonly shopOffsetHours: number
  running: boolean
  /** Minutes in the present compressor state and until it changes. */
  stateMinutes: number
  minutesLeft: number
  defrosting: boolean
  defrostMinutes: number
  minutesToDefrost: number
  /** Minutes since the last defrost ended. */
  sinceDefrost: number
  doorOpen: boolean
  doorMinutes: number
  /** Warmth above normal from defrost, an open door, lost cooling, K. */
  defrostHeat: number
  doorHeat: number
  lostHeat: number
}

function deviceLevels(device: DeviceRow, random: RandomStream): Float64Array {
  const model = equipmentModels.find(({ name }) => name === device.model)
  return Float64Array.from(operatingPoints, (entry, index) => {
    const own = 0.1 * random.normal() + (model?.levels[entry.sensor] ?? 0)
    const zone = index === gauge.ambient ? (zoneAmbient[device.climate_zone ?? ''] ?? 0) : 0
    return runningLevel[index]! + own * entry.std + zone
  })
}

/** A healthy unit somewhere in its cycle. */
export function createUnit(device: DeviceRow, seed: number): Unit {
  const traits = randomStream(seed, `${device.device_id}/traits`)
  const noise = randomStream(seed, `${device.device_id}/noise`)
  const events = randomStream(seed, `${device.device_id}/events`)
  const model = equipmentModels.find(({ name }) => name === device.model)
  const wander = new Float64Array(gaugeCount)
  for (let index = 0; index < gaugeCount; index++) wander[index] = noise.normal()
  const runMinutes = (model?.onMinutes ?? 20) * (1 + 0.06 * traits.normal())
  return {
    ...{ noise, events, wander, runMinutes },
    level: deviceLevels(device, traits),
    transient: new Float64Array(gaugeCount),
    normals: new Float64Array(gaugeCount),
    values: new Float64Array(gaugeCount),
    restMinutes: (model?.offMinutes ?? 10) * (1 + 0.06 * traits.normal()),
    shopOffsetHours: shopOffsetHours(device.timezone),
    running: true,
    stateMinutes: 0,
    minutesLeft: 1 + events.unit() * runMinutes,
    defrosting: false,
    defrostMinutes: 0,
    minutesToDefrost: 20 + events.unit() * 400,
    sinceDefrost: 1e6,
    doorOpen: false,
    doorMinutes: 0,
    defrostHeat: 0,
    doorHeat: 0,
    lostHeat: 0,
  }
}

/** Sessions of 1 to 5 minutes during opening hours, about 5 % of the day, MON-63. */
function advanceDoor(unit: Unit, timeMs: number, effects: Effects): void {
  const draw = unit.events.unit()
  const hour = (timeMs / 3_600_000 + unit.shopOffsetHours) % 24
  const rate = hour >= 8 && hour < 21 ? 0.034 : 0.001
  unit.doorMinutes -= 1
  if (unit.doorMinutes <= 0 && draw < rate) unit.doorMinutes = 1 + Math.floor((draw / rate) * 5)
  unit.doorOpen = unit.doorMinutes > 0 || effects.door === 'open'
  const goal = unit.doorOpen ? 6 : 0
  unit.doorHeat += (goal - unit.doorHeat) * (unit.doorOpen ? 0.045 : 0.12)
}

/** A defrost of about half an hour every 6 to 8 hours, MON-63. */
function advanceDefrost(unit: Unit, effects: Effects): void {
  const { events } = unit
  unit.sinceDefrost += 1
  unit.minutesToDefrost -= effects.defrostsMore
  if (unit.defrosting) {
    unit.defrostMinutes -= 1
    unit.sinceDefrost = 0
    if (effects.defrost !== 'forced') {
      if (unit.defrostMinutes <= 0 || effects.defrost === 'blocked') unit.defrosting = false
    }
  } else if (effects.defrost === 'forced' || unit.minutesToDefrost <= 0) {
    if (effects.defrost !== 'blocked') {
      unit.defrosting = true
      unit.sinceDefrost = 0
      unit.defrostMinutes = 29 + events.unit() * 8
      unit.minutesToDefrost = 360 + events.unit() * 120
    }
  }
  if (!unit.defrosting) {
    unit.defrostHeat *= 0.88
    return
  }
  // The coil warms by at most 3 K a minute and levels off at the end temperature.
  const goal = effects.defrostGoal - operatingPoints[gauge.evaporator]!.mean
  unit.defrostHeat += Math.min(2.8, Math.max(0, (goal - unit.defrostHeat) * 0.25))
}

function switchCompressor(unit: Unit, running: boolean, minutes: number): void {
  if (unit.running !== running) unit.stateMinutes = 0
  unit.running = running
  unit.minutesLeft = minutes
}

function advanceCompressor(unit: Unit, effects: Effects, ambientShift: number): void {
  unit.stateMinutes += 1
  unit.minutesLeft -= 1
  if (effects.compressor !== 'auto') {
    switchCompressor(unit, effects.compressor === 'on' && !unit.defrosting, 1)
  } else if (unit.defrosting) {
    switchCompressor(unit, false, 0)
  } else if (unit.defrostHeat > 3 && !unit.running) {
    // After a defrost the unit runs until the coil is cold again.
    switchCompressor(unit, true, 30 * effects.runFactor)
  } else if (unit.minutesLeft <= 0) {
    const stretch = 1 + 0.12 * unit.events.normal()
    const load = Math.max(0.5, 1 + 0.02 * ambientShift)
    const minutes = unit.running
      ? unit.restMinutes * (effects.restFactor / load)
      : unit.runMinutes * effects.runFactor * load
    switchCompressor(unit, !unit.running, Math.max(1, minutes * stretch))
  }
}

/** An uncooled cabinet warms towards the room. */
function advanceLostHeat(unit: Unit, effects: Effects, ambient: number): void {
  if (effects.warmRate === 0) {
    unit.lostHeat *= 0.9
    return
  }
  const goal = ambient - 4 - unit.level[gauge.evaporator]!
  unit.lostHeat += Math.min(effects.warmRate, Math.max(0, (goal - unit.lostHeat) * 0.15))
}

/** Day and year wave of the room around its mean, K; warmest at 15:00 and in late July. */
function ambientWave(timeMs: number, offsetHours: number): number {
  const hour = timeMs / 3_600_000 + offsetHours
  const dayOfYear = (timeMs / 86_400_000) % 365.25
  return (
    dayAmplitude * Math.cos(((hour - 15) * Math.PI) / 12) +
    1.2 * Math.cos(((dayOfYear - 205) * 2 * Math.PI) / 365.25)
  )
}

function readGauges(unit: Unit, effects: Effects, ambientShift: number): void {
  const { level, wander, transient, normals, values } = unit
  const { factor, offset } = effects
  const restShare = unit.running ? 0 : 1
  const rate = unit.running ? runRate : idleRate
  for (let index = 0; index < gaugeCount; index++) {
    const gap = restShare * idleShift[index]! - transient[index]!
    const settled = transient[index]! + gap * rate[index]!
    transient[index] = settled
    const value =
      level[index]! +
      perKelvin[index]! * ambientShift +
      wanderDeviation[index]! * wander[index]! +
      jitter[index]! * normals[index]! +
      settled
    values[index] = value * factor[index]! + offset[index]!
  }
}

/** Heat of defrost, door and lost cooling, and what a resting compressor shows. */
function addCouplings(unit: Unit, ambientShift: number): void {
  const { values, normals } = unit
  const heat = unit.defrostHeat + unit.doorHeat + unit.lostHeat
  values[gauge.evaporator] = values[gauge.evaporator]! + heat
  values[gauge.suction] = values[gauge.suction]! + 0.6 * heat
  values[gauge.lowSide] = Math.max(20, values[gauge.lowSide]! + 4 * unit.defrostHeat)
  values[gauge.ambient] = values[gauge.ambient]! + ambientShift
  const damp = values[gauge.humidity]! + 4.2 * unit.doorHeat + 0.2 * unit.defrostHeat
  values[gauge.humidity] = Math.min(99, Math.max(5, damp))
  if (unit.running) {
    values[gauge.current] = Math.max(1, values[gauge.current]!)
    values[gauge.vibration] = Math.max(0.4, values[gauge.vibration]!)
  } else {
    values[gauge.current] = 0
    values[gauge.vibration] = 0.3 + 0.03 * normals[gauge.vibration]!
  }
}

/** Moves a unit on by the minute that starts at `timeMs` and fills its gauge values. */
export function advanceUnit(unit: Unit, timeMs: number, effects: Effects): void {
  drawNormals(unit.noise, unit.normals)
  advanceWander(unit.wander, unit.normals)
  drawNormals(unit.noise, unit.normals)
  const wave = ambientWave(timeMs, unit.shopOffsetHours) + effects.ambientRise
  const drift = wanderDeviation[gauge.ambient]! * unit.wander[gauge.ambient]!
  const ambient = unit.level[gauge.ambient]! + wave + drift
  const ambientShift = ambient - runningLevel[gauge.ambient]!
  advanceDoor(unit, timeMs, effects)
  advanceDefrost(unit, effects)
  advanceCompressor(unit, effects, ambientShift)
  advanceLostHeat(unit, effects, ambient)
  readGauges(unit, effects, ambientShift)
  addCouplings(unit, wave)
}
