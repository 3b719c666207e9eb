/** Encoded fields of one protobuf message. Source: protobuf.dev, "Encoding". */
export type Message = Uint8Array

const WIRE_VARINT = 0
const WIRE_LENGTH = 2
const WIRE_FIXED32 = 5

/** One message of the given fields, in their order. */
export function message(...fields: readonly Message[]): Message {
  let length = 0
  for (const field of fields) length += field.length
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const field of fields) {
    bytes.set(field, offset)
    offset += field.length
  }
  return bytes
}

/** An integer ≥ 0. */
export function integerField(number: number, value: number): Message {
  return Uint8Array.from([...varint(number * 8 + WIRE_VARINT), ...varint(value)])
}

/** A float32. */
export function floatField(number: number, value: number): Message {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setFloat32(0, value, true)
  return message(Uint8Array.from(varint(number * 8 + WIRE_FIXED32)), bytes)
}

/** Bytes or an embedded message. */
export function bytesField(number: number, bytes: Uint8Array): Message {
  const head = [...varint(number * 8 + WIRE_LENGTH), ...varint(bytes.length)]
  return message(Uint8Array.from(head), bytes)
}

/** UTF-8 text. */
export function textField(number: number, text: string): Message {
  return bytesField(number, new TextEncoder().encode(text))
}

/** Packed float32 values. */
export function floatsField(number: number, values: ArrayLike<number>): Message {
  const bytes = new Uint8Array(4 * values.length)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i]!, true)
  return bytesField(number, bytes)
}

/** Packed integers ≥ 0. */
export function integersField(number: number, values: ArrayLike<number>): Message {
  const bytes: number[] = []
  for (let i = 0; i < values.length; i++) {
    for (const byte of varint(values[i]!)) bytes.push(byte)
  }
  return bytesField(number, Uint8Array.from(bytes))
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return bytes
}
