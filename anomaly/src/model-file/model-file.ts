import { createHash } from 'node:crypto'
import { AnomalyError } from '../errors.ts'
import {
  decodeSection,
  encodeSection,
  isModelArray,
  type ModelArray,
} from './model-file-section.ts'

/** First bytes of every model file. */
const MAGIC = 'ISOTHERM'

/** Format written by this release; all formats up to it are read. */
export const MODEL_FILE_VERSION = 1

const PREFIX_BYTES = 16
const CHECKSUM_BYTES = 32

/**
 * Anything a model file can hold: nested plain objects and arrays of numbers, strings, booleans,
 * null and typed arrays. Every detector, scaler and calibration is of this form.
 */
export type ModelState =
  | null
  | boolean
  | number
  | string
  | ModelArray
  | readonly ModelState[]
  | { readonly [key: string]: ModelState }

/**
 * Writes a model as bytes: identical for equal models on any machine.
 *
 * Layout: magic (8), version u32, header length u32, header JSON (keys sorted, UTF-8), padding to
 * 8, the typed arrays in little-endian order of appearance, each padded to 8, SHA-256 of all before.
 * @throws MODEL_FILE_INVALID for a value that is no plain data (undefined, function, class, cycle)
 * Cost O(bytes).
 */
export function encodeModel(model: ModelState): Uint8Array {
  const sections: Uint8Array[] = []
  const header = Buffer.from(JSON.stringify(encodeValue(model, sections, 0)), 'utf8')
  let length = padded(PREFIX_BYTES + header.length)
  for (const section of sections) length += padded(section.length)
  const bytes = new Uint8Array(length + CHECKSUM_BYTES)
  bytes.set(Buffer.from(MAGIC, 'latin1'), 0)
  const view = new DataView(bytes.buffer)
  view.setUint32(8, MODEL_FILE_VERSION, true)
  view.setUint32(12, header.length, true)
  bytes.set(header, PREFIX_BYTES)
  let offset = padded(PREFIX_BYTES + header.length)
  for (const section of sections) {
    bytes.set(section, offset)
    offset += padded(section.length)
  }
  bytes.set(sha256(bytes.subarray(0, offset)), offset)
  return bytes
}

/**
 * Reads what `encodeModel` wrote, after checking its checksum. The result is plain data whose
 * arrays are copies; `parseDetector` turns it into a typed model.
 * @throws MODEL_FILE_INVALID if a byte was changed or lost, or the version is newer than this code
 * Cost O(bytes).
 */
export function decodeModel(bytes: Uint8Array): ModelState {
  if (bytes.length < PREFIX_BYTES + CHECKSUM_BYTES) throw invalidFile('is too short')
  if (Buffer.from(bytes.subarray(0, 8)).toString('latin1') !== MAGIC) {
    throw invalidFile('does not start with the magic bytes')
  }
  const end = bytes.length - CHECKSUM_BYTES
  const checksum = Buffer.from(bytes.subarray(end))
  if (!checksum.equals(sha256(bytes.subarray(0, end)))) {
    throw invalidFile('has a wrong checksum; fetch it again')
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = view.getUint32(8, true)
  if (version !== MODEL_FILE_VERSION) {
    throw invalidFile(`has version ${version}, this release reads up to ${MODEL_FILE_VERSION}`)
  }
  const headerEnd = PREFIX_BYTES + view.getUint32(12, true)
  if (headerEnd > end) throw invalidFile('has a header longer than itself')
  const header = Buffer.from(bytes.subarray(PREFIX_BYTES, headerEnd)).toString('utf8')
  const cursor = { offset: padded(headerEnd) }
  const model = decodeValue(parseJson(header), bytes.subarray(0, end), cursor)
  if (cursor.offset !== end) throw invalidFile('has bytes that its header does not name')
  return model
}

/** SHA-256 of a model file's bytes in hexadecimal: the content hash a registry stores. */
export function modelHash(bytes: Uint8Array): string {
  return Buffer.from(sha256(bytes)).toString('hex')
}

/** Nesting allowed in a model; a cycle ends here too. */
const MAX_DEPTH = 32

/** JSON with typed arrays as `{"$array":[type,length]}` and unusual numbers as `{"$number":…}`. */
function encodeValue(value: ModelState, sections: Uint8Array[], depth: number): unknown {
  if (depth > MAX_DEPTH) throw invalidFile(`is nested deeper than ${MAX_DEPTH} levels`)
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') {
    const isPlain = Number.isFinite(value) && !Object.is(value, -0)
    return isPlain ? value : { $number: Object.is(value, -0) ? '-0' : String(value) }
  }
  if (isModelArray(value)) {
    const { type, bytes } = encodeSection(value)
    sections.push(bytes)
    return { $array: [type, value.length] }
  }
  if (Array.isArray(value)) return value.map((item) => encodeValue(item, sections, depth + 1))
  if (typeof value !== 'object' || !isPlainObject(value)) {
    throw invalidFile(`would hold a ${typeof value} that is no plain data`)
  }
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return Object.fromEntries(
    entries.map(([key, item]) => {
      // Integer-like keys come first in any object: their order could not be canonical text order.
      if (key.startsWith('$') || /^\d+$/.test(key)) throw invalidFile(`would hold the key ${key}`)
      return [key, encodeValue(item, sections, depth + 1)]
    }),
  )
}

function decodeValue(value: unknown, bytes: Uint8Array, cursor: { offset: number }): ModelState {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') return value
  if (Array.isArray(value)) return value.map((item) => decodeValue(item, bytes, cursor))
  if (typeof value !== 'object') throw invalidFile(`holds a ${typeof value}`)
  const entries: [string, unknown][] = Object.entries(value)
  const [first] = entries
  if (first !== undefined && first[0] === '$number') return decodeNumber(first[1])
  if (first !== undefined && first[0] === '$array') return decodeArray(first[1], bytes, cursor)
  return Object.fromEntries(entries.map(([key, item]) => [key, decodeValue(item, bytes, cursor)]))
}

function decodeNumber(text: unknown): number {
  if (text === 'NaN' || text === 'Infinity' || text === '-Infinity' || text === '-0') {
    return Number(text)
  }
  throw invalidFile(`holds the number ${String(text)}`)
}

function decodeArray(
  description: unknown,
  bytes: Uint8Array,
  cursor: { offset: number },
): ModelArray {
  const [type, length]: unknown[] = Array.isArray(description) ? description : []
  if (typeof type !== 'string' || typeof length !== 'number' || !Number.isInteger(length)) {
    throw invalidFile('describes an array without type and length')
  }
  const array = decodeSection(type, length, bytes, cursor.offset)
  if (array === undefined) throw invalidFile(`ends inside an array of ${length} ${type} values`)
  cursor.offset += padded(array.byteLength)
  return array
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw invalidFile('has a header that is no JSON', cause)
  }
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function padded(length: number): number {
  return Math.ceil(length / 8) * 8
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}

function invalidFile(what: string, cause?: unknown): AnomalyError {
  return new AnomalyError('MODEL_FILE_INVALID', `model file ${what}`, { what }, cause)
}
