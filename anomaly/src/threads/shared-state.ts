import { isModelArray, type ModelArray } from '../model-file/model-file-section.ts'

/** The same value with every typed array copied into memory that threads share. */
export function sharedCopy<T>(value: T): T
export function sharedCopy(value: unknown): unknown {
  if (isModelArray(value)) return sharedArray(value)
  if (Array.isArray(value)) return value.map((item: unknown) => sharedCopy(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sharedCopy(item)]))
}

/** `length` zeros in memory that threads share: for what they write. */
export function sharedFloats(length: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT * length))
}

function sharedArray(array: ModelArray): ModelArray {
  if (array.buffer instanceof SharedArrayBuffer) return array
  const buffer = new SharedArrayBuffer(array.byteLength)
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
  new Uint8Array(buffer).set(bytes)
  if (array instanceof Float64Array) return new Float64Array(buffer)
  if (array instanceof Float32Array) return new Float32Array(buffer)
  if (array instanceof Int32Array) return new Int32Array(buffer)
  if (array instanceof Uint32Array) return new Uint32Array(buffer)
  return array instanceof Uint16Array ? new Uint16Array(buffer) : new Uint8Array(buffer)
}
