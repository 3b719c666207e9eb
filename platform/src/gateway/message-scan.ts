import { isUtf8 } from 'node:buffer'
import type { ReasonCode } from '../contracts/index.ts'
import {
  clearNotes,
  emptyNotes,
  fail,
  keyText,
  scanEscape,
  scanLiteral,
  scanNumber,
  scanValue,
  skipBlanks,
} from './json-scan.ts'
import { addToHash, emptyHash, KeyTable } from './key-table.ts'
import { excerpt } from './refusal.ts'

/** Kind of a JSON value; 0 means that the field is not there. */
export const jsonKind = {
  absent: 0,
  string: 1,
  number: 2,
  true: 3,
  false: 4,
  null: 5,
  object: 6,
  array: 7,
} as const

/** Fields of the wide (ING-7) and the narrow format (ING-8) by their number. */
export const fieldNames = [
  'device_id',
  'timestamp',
  'readings',
  'schema_version',
  'sent_at',
  'sensor_type',
  'value',
  'unit',
  'quality',
] as const

export type FieldName = (typeof fieldNames)[number]

/** What a sensor of the fleet takes; a boolean one takes true, false, 0 and 1. */
export type SensorKind = 'number' | 'boolean'

/** Largest number text that cannot be beyond a double without an exponent. */
const safeNumberBytes = 300
const minusOne = -1
const unknownKey = -1
const brokenKey = -2

export function kindOf(byte: number | undefined): number {
  switch (byte) {
    case 0x22:
      return jsonKind.string
    case 0x7b:
      return jsonKind.object
    case 0x5b:
      return jsonKind.array
    case 0x74:
      return jsonKind.true
    case 0x66:
      return jsonKind.false
    case 0x6e:
      return jsonKind.null
    default:
      return jsonKind.number
  }
}

/** A key no schema knows, with its value: bytes [start, end) of the payload. */
export type UnknownMember = {
  readonly start: number
  readonly end: number
  readonly inReadings: boolean
}

/**
 * One pass over the bytes of a message: is it JSON, where are the fields, are the sensor values of
 * the right kind. One instance serves all messages; its fields belong to the last one.
 */
export class MessageScan {
  bytes: Buffer = Buffer.alloc(0)
  readonly kinds = new Uint8Array(fieldNames.length)
  readonly starts = new Int32Array(fieldNames.length)
  readonly ends = new Int32Array(fieldNames.length)
  readonly escaped = new Uint8Array(fieldNames.length)
  readonly notes = emptyNotes()
  readonly unknown: UnknownMember[] = []
  knownSensorCount = 0
  readingCount = 0
  /** First finding that refuses the message although it is JSON. */
  reason: ReasonCode | undefined
  detail = ''
  readonly sensors: KeyTable
  readonly #fields = new KeyTable(fieldNames)
  readonly #sensorKinds: readonly SensorKind[]
  readonly #seenSensors: Uint8Array
  readonly #unknownKeys = new Set<string>()
  #keyStart = 0
  #keyEnd = 0
  #keyHash = 0
  /** Position after the last key, its colon and blanks. */
  #at = 0
  #isMismatch = false

  constructor(sensors: readonly { readonly name: string; readonly kind: SensorKind }[]) {
    this.sensors = new KeyTable(sensors.map(({ name }) => name))
    this.#sensorKinds = sensors.map(({ kind }) => kind)
    this.#seenSensors = new Uint8Array(sensors.length)
  }

  /** Scans a payload; `reason` is set if it can only be refused. */
  scan(bytes: Buffer): void {
    this.#clear(bytes)
    if (!isUtf8(bytes)) {
      this.refuse('INVALID_ENCODING', `payload is not UTF-8: ${excerpt(bytes, 0, bytes.length)}`)
      return
    }
    const { notes } = this
    const start = skipBlanks(bytes, 0, bytes.length, notes)
    if (start === bytes.length) this.refuse('EMPTY_PAYLOAD', 'payload has no content')
    else if (bytes[start] === 0x7b) this.#finish(this.#scanMembers(start + 1))
    else {
      this.refuse(
        'TYPE_MISMATCH',
        `$: expected an object, found ${excerpt(bytes, start, bytes.length)}`,
      )
      this.#finish(scanValue(bytes, start, bytes.length, 0, notes))
    }
  }

  /** Keeps the first reason only: later ones are often its consequence. */
  refuse(reason: ReasonCode, detail: string): void {
    if (this.reason !== undefined) return
    this.reason = reason
    this.detail = detail
  }

  /** Text of a string field. */
  text(field: number): string {
    const text = this.bytes.toString('utf8', this.starts[field]! + 1, this.ends[field]! - 1)
    return this.escaped[field] === 1 ? String(JSON.parse(`"${text}"`)) : text
  }

  /** Whether a string field has this text; without making one of plain ASCII. */
  isText(field: number, text: string): boolean {
    const start = this.starts[field]! + 1
    const length = this.ends[field]! - 1 - start
    if (this.escaped[field] === 1 || length !== text.length) return this.text(field) === text
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      // Beyond ASCII a byte is no character, even where both have the same number.
      if (code > 0x7f || this.bytes[start + i] !== code) return this.text(field) === text
    }
    return true
  }

  #clear(bytes: Buffer): void {
    this.bytes = bytes
    this.kinds.fill(jsonKind.absent)
    this.#seenSensors.fill(0)
    this.knownSensorCount = 0
    this.readingCount = 0
    this.reason = undefined
    this.detail = ''
    clearNotes(this.notes)
    if (this.#unknownKeys.size > 0) {
      this.unknown.length = 0
      this.#unknownKeys.clear()
    }
  }

  #finish(at: number): void {
    const { bytes, notes } = this
    const end = at < 0 ? -1 : skipBlanks(bytes, at, bytes.length, notes)
    if (end >= 0 && end < bytes.length) fail(notes, end, 'more after the message')
    if (end !== bytes.length) {
      const { reason, at: position, problem } = notes.fault
      this.reason = reason
      this.detail = `byte ${position}: ${problem}: ${excerpt(bytes, Math.max(0, position - 20), position + 60)}`
    } else if (notes.loneSurrogateAt >= 0) {
      this.reason = 'INVALID_ENCODING'
      const from = notes.loneSurrogateAt
      this.detail = `byte ${from}: half of a surrogate pair: ${excerpt(bytes, from, from + 12)}`
    } else if (notes.duplicateKeyAt >= 0) {
      this.refuse(
        'DUPLICATE_KEY',
        `key ${excerpt(bytes, notes.duplicateKeyAt, notes.duplicateKeyEnd)} stands twice in one object`,
      )
    }
  }

  /** Members of the message itself, from after its brace. */
  #scanMembers(at: number): number {
    const { bytes, notes } = this
    const end = bytes.length
    at = skipBlanks(bytes, at, end, notes)
    if (at < end && bytes[at] === 0x7d) return at + 1
    let next = 0
    for (;;) {
      const field = this.#scanKey(at, this.#fields, next)
      next = field + 1
      if (field === brokenKey) return minusOne
      at = field === unknownKey ? this.#scanUnknown(false) : this.#scanField(field)
      if (at < 0) return minusOne
      at = skipBlanks(bytes, at, end, notes)
      if (at >= end) return fail(notes, at, 'the end inside the message')
      if (bytes[at] === 0x7d) return at + 1
      if (bytes[at] !== 0x2c) return fail(notes, at, 'no comma between object members')
      at++
    }
  }

  #scanField(field: number): number {
    const { bytes, notes } = this
    if (this.kinds[field] !== jsonKind.absent) {
      this.refuse('DUPLICATE_KEY', `key ${fieldNames[field]} stands twice in the message`)
    }
    const start = this.#at
    const kind = kindOf(bytes[start])
    const isReadings = field === 2 && kind === jsonKind.object
    const end = isReadings
      ? this.#scanReadings(start + 1)
      : scanValue(bytes, start, bytes.length, 1, notes)
    if (end < 0) return minusOne
    this.kinds[field] = kind
    this.starts[field] = start
    this.ends[field] = end
    this.escaped[field] = kind === jsonKind.string && notes.hasEscape ? 1 : 0
    return end
  }

  #scanReadings(at: number): number {
    const { bytes, notes } = this
    const end = bytes.length
    at = skipBlanks(bytes, at, end, notes)
    if (at < end && bytes[at] === 0x7d) return at + 1
    let next = 0
    for (;;) {
      const sensor = this.#scanKey(at, this.sensors, next)
      next = sensor + 1
      if (sensor === brokenKey) return minusOne
      this.readingCount++
      at = sensor === unknownKey ? this.#scanUnknown(true) : this.#scanSensor(sensor)
      if (at < 0) return minusOne
      at = skipBlanks(bytes, at, end, notes)
      if (at >= end) return fail(notes, at, 'the end inside readings')
      if (bytes[at] === 0x7d) return at + 1
      if (bytes[at] !== 0x2c) return fail(notes, at, 'no comma between readings')
      at++
    }
  }

  #scanSensor(sensor: number): number {
    if (this.#seenSensors[sensor] === 1) {
      this.refuse('DUPLICATE_KEY', `readings.${this.sensors.names[sensor]} stands twice`)
    }
    this.#seenSensors[sensor] = 1
    this.knownSensorCount++
    const start = this.#at
    const end = this.scanSensorValue(sensor, start)
    if (end < 0 || !this.#isMismatch) return end
    this.refuseSensor(`readings.${this.sensors.names[sensor]}`, sensor, start, end)
    return end
  }

  /** Position after a sensor value; `isMismatch` tells whether the sensor takes it. */
  scanSensorValue(sensor: number, start: number): number {
    const { bytes, notes } = this
    const byte = bytes[start]!
    const isNumber = byte === 0x2d || (byte >= 0x30 && byte <= 0x39)
    if (isNumber) {
      const end = scanNumber(bytes, start, bytes.length, notes)
      this.#isMismatch =
        this.#sensorKinds[sensor] === 'boolean'
          ? end !== start + 1 || byte > 0x31
          : (notes.hasExponent || end - start > safeNumberBytes) &&
            !Number.isFinite(Number(bytes.toString('latin1', start, end)))
      return end
    }
    if (byte === 0x74 || byte === 0x66 || byte === 0x6e) {
      this.#isMismatch = byte !== 0x6e && this.#sensorKinds[sensor] !== 'boolean'
      return scanLiteral(bytes, start, bytes.length, notes)
    }
    this.#isMismatch = true
    return scanValue(bytes, start, bytes.length, 2, notes)
  }

  get isMismatch(): boolean {
    return this.#isMismatch
  }

  refuseSensor(path: string, sensor: number, start: number, end: number): void {
    const isBoolean = this.#sensorKinds[sensor] === 'boolean'
    const found = excerpt(this.bytes, start, end)
    if (!isBoolean && kindOf(this.bytes[start]) === jsonKind.number) {
      this.refuse('NUMBER_OUT_OF_RANGE', `${path}: ${found} is beyond a double`)
    } else {
      const expected = isBoolean ? 'true, false, 0 or 1' : 'a number'
      this.refuse('TYPE_MISMATCH', `${path}: expected ${expected}, found ${found}`)
    }
  }

  #scanUnknown(inReadings: boolean): number {
    const { bytes, notes } = this
    const keyStart = this.#keyStart
    const key = keyText(bytes, keyStart, this.#keyEnd, notes.hasEscape)
    const place = inReadings ? `readings ${key}` : `message ${key}`
    if (this.#unknownKeys.has(place)) this.refuse('DUPLICATE_KEY', `in ${place} stands twice`)
    this.#unknownKeys.add(place)
    const end = scanValue(bytes, this.#at, bytes.length, inReadings ? 2 : 1, notes)
    if (end >= 0) this.unknown.push({ start: keyStart - 1, end, inReadings })
    return end
  }

  #findKey(table: KeyTable, start: number, end: number): number {
    const { bytes, notes } = this
    return notes.hasEscape
      ? table.findText(keyText(bytes, start, end, true))
      : table.find(bytes, start, end, this.#keyHash)
  }

  /** Position of the closing quote of the key that begins at `at`, or -1; hashes its bytes. */
  #scanKeyText(at: number): number {
    const { bytes, notes } = this
    const end = bytes.length
    let hash = emptyHash
    while (at < end) {
      const byte = bytes[at]!
      if (byte === 0x22) {
        this.#keyHash = hash
        return at
      }
      if (byte === 0x5c) {
        at = scanEscape(bytes, at, end, notes)
        if (at < 0) return -1
      } else if (byte < 0x20) return fail(notes, at, 'a control character in a key')
      else {
        hash = addToHash(hash, byte)
        at++
      }
    }
    return fail(notes, at, 'the end inside a key')
  }

  /**
   * Reads a key and its colon; returns its number in the table, unknownKey or brokenKey. `next` is
   * the number expected.
   */
  #scanKey(from: number, table: KeyTable, next: number): number {
    const { bytes, notes } = this
    const end = bytes.length
    let at = skipBlanks(bytes, from, end, notes)
    if (at >= end || bytes[at] !== 0x22) {
      fail(notes, at, 'no key where one belongs')
      return brokenKey
    }
    const start = ++at
    notes.hasEscape = false
    const expected = table.expectedLength(next, bytes, start)
    if (expected > 0) at = start + expected
    else at = this.#scanKeyText(at)
    if (at < 0) return brokenKey
    this.#keyStart = start
    this.#keyEnd = at
    const slot = expected > 0 ? next : this.#findKey(table, start, at)
    at = skipBlanks(bytes, at + 1, end, notes)
    if (at >= end || bytes[at] !== 0x3a) {
      fail(notes, at, 'no colon after a key')
      return brokenKey
    }
    at = skipBlanks(bytes, at + 1, end, notes)
    if (at >= end) {
      fail(notes, at, 'the end where a value belongs')
      return brokenKey
    }
    this.#at = at
    return slot
  }
}
