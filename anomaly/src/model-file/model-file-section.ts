/** Typed arrays a model may hold. */
export type ModelArray =
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Uint16Array
  | Uint8Array

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** Whether a value is one of the typed arrays a model may hold. */
export function isModelArray(value: unknown): value is ModelArray {
  return (
    value instanceof Float64Array ||
    value instanceof Float32Array ||
    value instanceof Int32Array ||
    value instanceof Uint32Array ||
    value instanceof Uint16Array ||
    value instanceof Uint8Array
  )
}

/** Little-endian bytes of an array, every NaN as the same bit pattern. */
export function encodeSection(array: ModelArray): {
  readonly type: string
  readonly bytes: Uint8Array
} {
  const copy = array.slice()
  if (copy instanceof Float64Array || copy instanceof Float32Array) {
    // Machines differ in the sign and payload of a NaN they compute. Written through a view of
    // the bits: assigning NaN to a float array leaves its bit pattern to the engine.
    const bits = new Uint32Array(copy.buffer)
    const isDouble = copy instanceof Float64Array
    for (let i = 0; i < copy.length; i++) {
      if (!Number.isNaN(copy[i])) continue
      if (isDouble) {
        bits[2 * i] = IS_LITTLE_ENDIAN ? 0 : 0x7ff8_0000
        bits[2 * i + 1] = IS_LITTLE_ENDIAN ? 0x7ff8_0000 : 0
      } else {
        bits[i] = 0x7fc0_0000
      }
    }
  }
  const bytes = new Uint8Array(copy.buffer, 0, copy.byteLength)
  if (!IS_LITTLE_ENDIAN) reverseElements(bytes, copy.BYTES_PER_ELEMENT)
  return { type: typeName(array), bytes }
}

/** Reads an array of `length` values at `offset`; undefined if the type or the range is unknown. */
export function decodeSection(
  type: string,
  length: number,
  bytes: Uint8Array,
  offset: number,
): ModelArray | undefined {
  const elementBytes = ELEMENT_BYTES.get(type)
  if (elementBytes === undefined || length < 0) return undefined
  const byteLength = length * elementBytes
  if (offset + byteLength > bytes.length) return undefined
  const copy = new Uint8Array(byteLength)
  copy.set(bytes.subarray(offset, offset + byteLength))
  if (!IS_LITTLE_ENDIAN) reverseElements(copy, elementBytes)
  switch (type) {
    case 'f64':
      return new Float64Array(copy.buffer)
    case 'f32':
      return new Float32Array(copy.buffer)
    case 'i32':
      return new Int32Array(copy.buffer)
    case 'u32':
      return new Uint32Array(copy.buffer)
    case 'u16':
      return new Uint16Array(copy.buffer)
    default:
      return copy
  }
}

const ELEMENT_BYTES: ReadonlyMap<string, number> = new Map([
  ['f64', 8],
  ['f32', 4],
  ['i32', 4],
  ['u32', 4],
  ['u16', 2],
  ['u8', 1],
])

function typeName(array: ModelArray): string {
  if (array instanceof Float64Array) return 'f64'
  if (array instanceof Float32Array) return 'f32'
  if (array instanceof Int32Array) return 'i32'
  if (array instanceof Uint32Array) return 'u32'
  return array instanceof Uint16Array ? 'u16' : 'u8'
}

function reverseElements(bytes: Uint8Array, elementBytes: number): void {
  for (let start = 0; start < bytes.length; start += elementBytes) {
    bytes.subarray(start, start + elementBytes).reverse()
  }
}
