/** Types of fields in Thrift's compact protocol. */
const typeCode = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  binary: 8,
  list: 9,
  struct: 12,
}

/** Kinds of list elements that Parquet's structures need. */
export type ListKind = 'i32' | 'binary' | 'struct'

/** Writes a Thrift structure in the compact protocol; fields of a structure in rising order of their ids. */
export interface CompactWriter {
  readonly bool: (id: number, value: boolean) => void
  readonly byte: (id: number, value: number) => void
  readonly i16: (id: number, value: number) => void
  /** Whole numbers of 32 bits. */
  readonly i32: (id: number, value: number) => void
  /** Whole numbers up to 2^53, not negative. */
  readonly i64: (id: number, value: number) => void
  readonly binary: (id: number, bytes: Uint8Array) => void
  readonly struct: (id: number, writeFields: () => void) => void
  readonly list: <T>(
    id: number,
    kind: ListKind,
    items: readonly T[],
    writeItem: (item: T) => void,
  ) => void
  /** An element of a list of numbers. */
  readonly i32Item: (value: number) => void
  /** An element of a list of texts. */
  readonly binaryItem: (bytes: Uint8Array) => void
  /** An element of a list of structures. */
  readonly structItem: (writeFields: () => void) => void
  /** Ends the outermost structure. */
  readonly finish: () => Uint8Array
}

/** A writer at the beginning of a structure. Source: Apache Thrift, "Thrift compact protocol encoding". */
export function compactWriter(): CompactWriter {
  let bytes = new Uint8Array(256)
  let length = 0
  let lastId = 0

  const reserve = (count: number) => {
    if (length + count <= bytes.length) return
    const larger = new Uint8Array(Math.max(bytes.length * 2, length + count))
    larger.set(bytes.subarray(0, length))
    bytes = larger
  }
  const put = (byte: number) => {
    reserve(1)
    bytes[length++] = byte
  }
  // Divides instead of shifting, since sizes and offsets pass 32 bits.
  const varint = (value: number) => {
    let rest = value
    while (rest >= 128) {
      put((rest % 128) + 128)
      rest = Math.floor(rest / 128)
    }
    put(rest)
  }
  const zigzag = (value: number) => varint(value < 0 ? -value * 2 - 1 : value * 2)
  const field = (id: number, type: number) => {
    const step = id - lastId
    if (step > 0 && step < 16) put(step * 16 + type)
    else {
      put(type)
      zigzag(id)
    }
    lastId = id
  }
  const raw = (content: Uint8Array) => {
    varint(content.length)
    reserve(content.length)
    bytes.set(content, length)
    length += content.length
  }
  const nested = (writeFields: () => void) => {
    const outerId = lastId
    lastId = 0
    writeFields()
    put(0)
    lastId = outerId
  }
  const number = (type: number) => (id: number, value: number) => {
    field(id, type)
    zigzag(value)
  }
  return {
    bool: (id, value) => field(id, value ? typeCode.true : typeCode.false),
    byte: (id, value) => {
      field(id, typeCode.byte)
      put(value & 0xff)
    },
    i16: number(typeCode.i16),
    i32: number(typeCode.i32),
    i64: number(typeCode.i64),
    binary: (id, content) => {
      field(id, typeCode.binary)
      raw(content)
    },
    struct: (id, writeFields) => {
      field(id, typeCode.struct)
      nested(writeFields)
    },
    list: (id, kind, items, writeItem) => {
      field(id, typeCode.list)
      if (items.length < 15) put(items.length * 16 + typeCode[kind])
      else {
        put(0xf0 + typeCode[kind])
        varint(items.length)
      }
      for (const item of items) writeItem(item)
    },
    i32Item: zigzag,
    binaryItem: raw,
    structItem: nested,
    finish: () => {
      put(0)
      return bytes.subarray(0, length)
    },
  }
}
