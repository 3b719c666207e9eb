import type { Socket } from 'node:net'
import { generate } from 'mqtt-packet'

const pubackBytes = 4
const payloadBytes = 450

/** A PUBLISH with the places that differ from message to message. */
export type LanePacket = {
  readonly bytes: Buffer
  readonly idAt: number
  /** Where `mm:ss.mmm` of the timestamp stands: it makes every message its own. */
  readonly timeAt: number
}

/** Message of a device of the refrigeration fleet, 450 bytes. */
export function lanePacket(deviceId: string, nowMs: number): LanePacket {
  const hour = new Date(nowMs - 3_600_000).toISOString().slice(0, 14)
  const payload = JSON.stringify({
    device_id: deviceId,
    timestamp: `${hour}00:00.000Z`,
    readings: {
      ...{ temperature_evaporator: -21.39, temperature_condenser: 42.16 },
      ...{ temperature_ambient: 23.07, temperature_discharge: 73.67, temperature_suction: -14.45 },
      ...{ pressure_high_side: 1600.59, pressure_low_side: 227.81, current_compressor: 15.02 },
      ...{ vibration_compressor: 2.89, humidity: 14.04, door_open_close: false },
      ...{ defrost_cycle: false, superheat: 5.31, subcooling: 4.2 },
    },
  }).padEnd(payloadBytes)
  const topic = `devices/${deviceId}/messages/events/`
  const bytes = generate({
    ...{ cmd: 'publish', topic, payload, qos: 1, messageId: 1, dup: false, retain: false },
  })
  return {
    bytes,
    idAt: bytes.indexOf(topic) + topic.length,
    timeAt: bytes.indexOf(hour) + hour.length,
  }
}

/** One connection with a window of messages, each in bytes of its own that are written in place. */
export class Lane {
  socket: Socket | undefined
  /** Answers are followed by new messages at once. */
  isRefilled = false
  acknowledged = 0
  readonly #packet: LanePacket
  readonly #slots: Buffer
  readonly #dueMs: Float64Array
  readonly #window: number
  /** Due times of messages for which the window had no room. */
  readonly #held: number[] = []
  #sent = 0
  #answeredBytes = 0

  constructor(packet: LanePacket, window: number) {
    this.#packet = packet
    this.#window = window
    this.#slots = Buffer.concat(Array.from({ length: window }, () => packet.bytes))
    this.#dueMs = new Float64Array(window)
  }

  /** Messages without an answer. */
  get waiting(): number {
    return this.#sent - this.acknowledged + this.#held.length
  }

  /** Fills the window with messages that are due now. */
  fill(nowMs: number): void {
    const free = this.#window - (this.#sent - this.acknowledged)
    if (free === 0) return
    const first = this.#sent % this.#window
    for (let i = 0; i < free; i++) this.#prepare(nowMs)
    this.#write(first, free)
  }

  /** Sends one message, or holds it back until an answer makes room. */
  send(dueMs: number): void {
    if (this.#sent - this.acknowledged === this.#window) {
      this.#held.push(dueMs)
      return
    }
    const slot = this.#sent % this.#window
    this.#prepare(dueMs)
    this.#write(slot, 1)
  }

  /** Takes bytes of PUBACK packets and counts latencies in tenths of a millisecond. */
  answered(byteCount: number, latencies: Uint32Array): void {
    this.#answeredBytes += byteCount
    const total = Math.floor(this.#answeredBytes / pubackBytes)
    const nowMs = performance.now()
    while (this.acknowledged < total) {
      const tenths = Math.round((nowMs - this.#dueMs[this.acknowledged % this.#window]!) * 10)
      const bucket = Math.min(Math.max(tenths, 0), latencies.length - 1)
      latencies[bucket] = latencies[bucket]! + 1
      this.acknowledged += 1
    }
    if (this.isRefilled) this.fill(nowMs)
    else
      while (this.#held.length > 0 && this.#sent - this.acknowledged < this.#window) {
        this.send(this.#held.shift()!)
      }
  }

  #prepare(dueMs: number): void {
    const { idAt, timeAt, bytes } = this.#packet
    const slot = this.#sent % this.#window
    const start = slot * bytes.length
    this.#dueMs[slot] = dueMs
    this.#sent += 1
    this.#slots.writeUInt16BE((this.#sent % 65_535) + 1, start + idAt)
    const at = start + timeAt
    const minutes = Math.floor(this.#sent / 60_000) % 60
    const seconds = Math.floor(this.#sent / 1_000) % 60
    this.#twoDigits(at, minutes)
    this.#twoDigits(at + 3, seconds)
    const milliseconds = this.#sent % 1_000
    this.#slots[at + 6] = 0x30 + Math.floor(milliseconds / 100)
    this.#twoDigits(at + 7, milliseconds % 100)
  }

  #twoDigits(at: number, value: number): void {
    this.#slots[at] = 0x30 + Math.floor(value / 10)
    this.#slots[at + 1] = 0x30 + (value % 10)
  }

  /** Writes slots that follow each other; behind the last comes the first. */
  #write(first: number, count: number): void {
    const { length } = this.#packet.bytes
    const whole = Math.min(count, this.#window - first)
    this.socket?.write(this.#slots.subarray(first * length, (first + whole) * length))
    if (whole < count) this.socket?.write(this.#slots.subarray(0, (count - whole) * length))
  }
}
