import type { FleetSimulator, SimulatedDevice } from 'isotherm/contracts'
import { absentSensors } from '../firmware.ts'
import { sensors } from '../sensors.ts'
import { activeFaults } from './active-faults.ts'
import { type Effects, neutralEffects } from './effects.ts'
import { asciiBytes, createMessageWriter, type MessageWriter } from './message-writer.ts'
import { gauge } from './operating-point.ts'
import { type RandomStream, randomStream } from './random-stream.ts'
import { advanceUnit, createUnit, type Unit } from './unit.ts'

const dayMs = 86_400_000

/** Time between buffered messages when a device flushes, ms: the gateway takes two a second. */
const flushIntervalMs = 500

/** Counts readings until the next missing one: one draw per gap, not one per value. */
function missingValues(random: RandomStream, share: number): () => boolean {
  const scale = share > 0 ? 1 / Math.log(1 - share) : Number.NEGATIVE_INFINITY
  const nextGap = () => Math.floor(Math.log(1 - random.unit()) * scale)
  let left = share > 0 ? nextGap() : Number.POSITIVE_INFINITY
  return () => {
    if (left > 0) {
      left -= 1
      return false
    }
    left = nextGap()
    return true
  }
}

type Field = {
  /** `"name":` with a comma before it unless it is the first. */
  readonly key: Uint8Array
  readonly kind: 'gauge' | 'door' | 'defrost'
  readonly index: number
}

const text = {
  null: asciiBytes('null'),
  true: asciiBytes('true'),
  false: asciiBytes('false'),
  sentAt: asciiBytes('","sent_at":"'),
  readings: asciiBytes('","readings":{'),
  end: asciiBytes('}}'),
}

/** Scratch for all devices: a message is written in one go, so they never meet in it. */
const writer = createMessageWriter()

function presentFields(absent: readonly string[]): readonly Field[] {
  const gauges = sensors.filter(({ kind }) => kind !== 'boolean').map(({ name }) => name)
  return sensors
    .filter(({ name }) => !absent.includes(name))
    .map(({ name, kind }, position): Field => {
      const key = asciiBytes(`${position === 0 ? '' : ','}"${name}":`)
      if (kind !== 'boolean') return { key, kind: 'gauge', index: gauges.indexOf(name) }
      return { key, kind: name === 'door_open_close' ? 'door' : 'defrost', index: -1 }
    })
}

function writeReadings(
  out: MessageWriter,
  fields: readonly Field[],
  unit: Unit,
  isMissing: () => boolean,
): void {
  for (let i = 0; i < fields.length; i++) {
    const { key, kind, index } = fields[i]!
    out.bytes(key)
    if (isMissing()) out.bytes(text.null)
    else if (kind === 'gauge') out.decimal(unit.values[index]!)
    else out.bytes((kind === 'door' ? unit.doorOpen : unit.defrosting) ? text.true : text.false)
  }
}

/** Clock of the controller: in a few units it starts off by seconds and drifts by seconds a day. */
function clockError(random: RandomStream, startMs: number): (timeMs: number) => number {
  const drifts = random.unit() < 0.03
  const initialMs = drifts ? 8000 * random.normal() : 0
  const perDayMs = drifts ? 2000 * random.normal() : 0
  // The controller corrects itself before it is two minutes off.
  return (timeMs) => Math.round((initialMs + (perDayMs * (timeMs - startMs)) / dayMs) % 120_000)
}

function afterBuffer(arrivalMs: number, lastArrivalMs: number, effects: Effects): number {
  return Math.max(arrivalMs, effects.heldUntilMs, lastArrivalMs + flushIntervalMs)
}

/** One simulated unit that sends a message a minute; see `FleetSimulator.device`. */
export const simulatedDevice: FleetSimulator['device'] = (options): SimulatedDevice => {
  const { device, seed, startMs, faults, nullRate = 0.02 } = options
  const deviceId = device.device_id
  const unit = createUnit(device, seed)
  const transport = randomStream(seed, `${deviceId}/transport`)
  const phaseMs = Math.floor(transport.unit() * 59_000)
  const clockErrorMs = clockError(randomStream(seed, `${deviceId}/clock`), startMs)
  const isMissing = missingValues(randomStream(seed, `${deviceId}/missing`), nullRate)
  const absent =
    device.expected_sensors === null
      ? absentSensors(device.firmware_version)
      : sensors.map(({ name }) => name).filter((name) => !device.expected_sensors?.includes(name))
  const fields = presentFields(absent)
  const effects = neutralEffects()
  const applyFaults = activeFaults(faults, device, seed)
  const head = asciiBytes(`{"device_id":"${deviceId}","timestamp":"`)
  let lastArrivalMs = 0

  function step(minuteMs: number) {
    applyFaults(minuteMs, unit, effects)
    advanceUnit(unit, minuteMs, effects)
    const chance = transport.bits()
    if (effects.silent) return undefined
    if (effects.stuckEvaporator !== undefined) {
      unit.values[gauge.evaporator] = effects.stuckEvaporator
    }
    const timeMs = minuteMs + phaseMs
    const delayMs = 1000 + ((chance & 0xffff) % 9001)
    lastArrivalMs = afterBuffer(timeMs + delayMs, lastArrivalMs, effects)
    const isEmpty = effects.emptyShare > 0 && (chance >>> 16) / 65_536 < effects.emptyShare
    // The controller's clock dates the reading; the modem, on network time, dates the sending.
    writer.begin()
    writer.bytes(head)
    writer.instant(timeMs + clockErrorMs(timeMs) + effects.clockAheadMs)
    writer.bytes(text.sentAt)
    writer.instant(lastArrivalMs)
    writer.bytes(text.readings)
    if (!isEmpty) writeReadings(writer, fields, unit, isMissing)
    writer.bytes(text.end)
    const payload = writer.finish()
    const messageId = `m-${minuteMs / 60_000}`
    return { deviceId, messageId, timeMs, delayMs: lastArrivalMs - timeMs, payload }
  }
  return { deviceId, step }
}
