import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { decodeLogPath } from '../data/file-path.ts'
import { DeletionVectorUnreadable } from '../errors.ts'
import type { DeletionVector } from '../log/actions.ts'
import { valuesOfBitmap } from './roaring-bitmap.ts'
import { decodeZ85 } from './z85.ts'

/** First byte of a deletion-vector file. */
const fileVersion = 1

/** A UUID as Z85 text has so many characters. */
const encodedUuidLength = 20

const decoded = new WeakMap<DeletionVector, Float64Array>()

/**
 * The rows of a data file that its deletion vector takes away, rising, counted from 0 in the order of
 * the file. Decoded once per descriptor object. Delta: "Deletion Vectors".
 * @param root absolute path of the table's folder
 * @throws DeletionVectorUnreadable, PathOutsideTable
 * Cost: the vector's file is read synchronously, some kilobytes; inline vectors cost nothing.
 */
export function deletedRows(vector: DeletionVector, root: string): Float64Array {
  const known = decoded.get(vector)
  if (known !== undefined) return known
  const payload =
    vector.storageType === 'i' ? inlinePayload(vector, root) : filePayload(vector, root)
  const outcome = valuesOfBitmap(payload, vector.cardinality)
  if (outcome.kind === 'damaged') {
    throw unreadable(vector, root, 'is damaged', `${vector.cardinality} rows`, outcome.reason)
  }
  decoded.set(vector, outcome.values)
  return outcome.values
}

/**
 * Where the file of a deletion vector lies: a path relative to the table, or an absolute one;
 * undefined for an inline vector.
 * @throws DeletionVectorUnreadable, PathOutsideTable
 */
export function deletionVectorPath(vector: DeletionVector, table: string): string | undefined {
  const { storageType, pathOrInlineDv: text } = vector
  if (storageType === 'i') return undefined
  if (storageType === 'p') return decodeLogPath(text, table)
  if (storageType !== 'u') {
    throw unreadable(vector, table, 'is stored in an unknown way', 'u, i or p', storageType)
  }
  const folder = text.slice(0, -encodedUuidLength)
  const bytes = decodeZ85(text.slice(-encodedUuidLength))
  if (bytes === undefined || bytes.length !== 16) {
    throw unreadable(vector, table, 'names no file', 'a UUID in Z85', text)
  }
  const hex = Buffer.from(bytes).toString('hex')
  const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  const name = `deletion_vector_${uuid}.bin`
  return decodeLogPath(folder === '' ? name : `${folder}/${name}`, table)
}

function inlinePayload(vector: DeletionVector, root: string): Uint8Array {
  const bytes = decodeZ85(vector.pathOrInlineDv)
  if (bytes === undefined || bytes.length < vector.sizeInBytes) {
    const found = `${vector.pathOrInlineDv.length} characters`
    throw unreadable(vector, root, 'is damaged', `${vector.sizeInBytes} bytes in Z85`, found)
  }
  return bytes.subarray(0, vector.sizeInBytes)
}

/** Delta: "Deletion Vector File Storage Format": big-endian size and checksum around the payload. */
function filePayload(vector: DeletionVector, root: string): Uint8Array {
  const path = deletionVectorPath(vector, root) ?? ''
  const { offset = 1, sizeInBytes } = vector
  const fail = (what: string, expected: string, found: string) =>
    unreadable(vector, root, `${what} (${path})`, expected, found)
  const { version, part, fileBytes } = readPart(vector, root, path)
  if (version !== fileVersion) throw fail('is of no known form', 'version 1', String(version))
  if (part === undefined) {
    throw fail('ends early', `${offset + sizeInBytes + 8} bytes or more`, `${fileBytes} bytes`)
  }
  const view = new DataView(part.buffer, part.byteOffset, part.byteLength)
  const size = view.getUint32(0)
  if (size !== sizeInBytes) throw fail('is not at its place', `size ${sizeInBytes}`, String(size))
  const payload = part.subarray(4, 4 + sizeInBytes)
  const expected = view.getUint32(4 + sizeInBytes)
  const found = crc32(payload)
  if (found !== expected) throw fail('has a wrong checksum', String(expected), String(found))
  return payload
}

/** The file's first byte and size, and the size, payload and checksum of one vector in it. */
function readPart(vector: DeletionVector, root: string, path: string) {
  const { offset = 1, sizeInBytes } = vector
  try {
    const file = openSync(isAbsolute(path) ? path : join(root, path), 'r')
    try {
      const fileBytes = fstatSync(file).size
      const first = new Uint8Array(1)
      readSync(file, first, 0, 1, 0)
      const isInside = offset >= 1 && sizeInBytes >= 0 && offset + sizeInBytes + 8 <= fileBytes
      if (!isInside) return { version: first[0], fileBytes }
      const part = new Uint8Array(sizeInBytes + 8)
      readSync(file, part, 0, part.length, offset)
      return { version: first[0], fileBytes, part }
    } finally {
      closeSync(file)
    }
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause)
    throw unreadable(vector, root, 'cannot be read', `file ${path}`, found, cause)
  }
}

function unreadable(
  vector: DeletionVector,
  table: string,
  what: string,
  expected: string,
  found: string,
  cause?: unknown,
): DeletionVectorUnreadable {
  const offset = vector.offset === undefined ? '' : ` at ${vector.offset}`
  return new DeletionVectorUnreadable({
    table,
    where: `deletion vector ${vector.storageType}:${vector.pathOrInlineDv.slice(0, 80)}${offset}`,
    what,
    expected,
    found,
    fix: 'restore the file from a backup; without it deleted rows would come back',
    cause,
  })
}
