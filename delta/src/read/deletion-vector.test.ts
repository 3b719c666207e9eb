import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DeletionVectorUnreadable, PathOutsideTable } from '../errors.ts'
import type { DeletionVector } from '../log/actions.ts'
import { scratchFolder } from '../scratch.testing.ts'
import { vectorFile, vectorPayload } from './bitmap-writer.testing.ts'
import { deletedRows, deletionVectorPath } from './deletion-vector.ts'

/** The protocol's own examples. */
const inline = {
  storageType: 'i',
  pathOrInlineDv: 'wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L',
  sizeInBytes: 40,
  cardinality: 6,
}
const named = { ...inline, storageType: 'u', pathOrInlineDv: 'ab^-aqEH.-t@S}K{vb[*k^', offset: 4 }
const namedFile = 'ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin'

test('the examples of the protocol mean what it says', () => {
  expect([...deletedRows(inline, '/t')]).toEqual([3, 4, 7, 11, 18, 29])
  expect(deletionVectorPath(named, '/t')).toBe(namedFile)
  expect(deletionVectorPath(inline, '/t')).toBeUndefined()
})

/** A folder with a vector file that holds two vectors; the descriptor of the second. */
async function tableWithVectors() {
  const root = await scratchFolder()
  const payloads = [vectorPayload([0, 5], 'runs'), vectorPayload([1, 2, 70_000], 'array-or-bits')]
  const { bytes, offsets } = vectorFile(payloads)
  const file = join(root, namedFile)
  mkdirSync(dirname(file), { recursive: true })
  const write = (content: Uint8Array) => writeFileSync(file, content)
  write(bytes)
  const vector: DeletionVector = {
    ...named,
    offset: offsets[1] ?? 0,
    sizeInBytes: payloads[1]?.length ?? 0,
    cardinality: 3,
  }
  return { root, file, bytes, vector, write }
}

test('a vector is found at its offset, by relative and by absolute path', async () => {
  const { root, file, vector } = await tableWithVectors()
  expect([...deletedRows(vector, root)]).toEqual([1, 2, 70_000])
  const absolute = { ...vector, storageType: 'p', pathOrInlineDv: `file://${file}` }
  expect([...deletedRows(absolute, '/elsewhere')]).toEqual([1, 2, 70_000])
})

describe('a vector is refused by name', () => {
  const faults: readonly (readonly [string, (vector: DeletionVector) => DeletionVector, RegExp])[] =
    [
      ['with a wrong count', (v) => ({ ...v, cardinality: 4 }), /3 values, expected 4/],
      ['with a wrong size', (v) => ({ ...v, sizeInBytes: v.sizeInBytes - 1 }), /at its place/],
      ['past the end', (v) => ({ ...v, offset: 9_999 }), /ends early/],
      ['of absurd size', (v) => ({ ...v, sizeInBytes: 2 ** 50 }), /ends early/],
      ['at a negative offset', (v) => ({ ...v, offset: -3 }), /ends early/],
      ['of an unknown storage', (v) => ({ ...v, storageType: 'x' }), /unknown way/],
      ['without a UUID', (v) => ({ ...v, pathOrInlineDv: 'abc' }), /names no file/],
      [
        'inline and short',
        (v) => ({ ...v, storageType: 'i', pathOrInlineDv: 'wi5b=' }),
        /bytes in Z85/,
      ],
    ]
  test.each(faults)('%s', async (_name, change, message) => {
    const { root, vector } = await tableWithVectors()
    expect(() => deletedRows(change(vector), root)).toThrow(DeletionVectorUnreadable)
    expect(() => deletedRows(change(vector), root)).toThrow(message)
  })

  test('when its file is gone, empty, of another version or changed', async () => {
    const { root, vector, bytes, write } = await tableWithVectors()
    const faults: readonly (readonly [Buffer, RegExp])[] = [
      [Buffer.alloc(0), /no known form/],
      [Buffer.concat([Buffer.from([2]), bytes.subarray(1)]), /version 1, found 2/],
      [bytes.subarray(0, bytes.length - 1), /ends early/],
    ]
    for (const [content, message] of faults) {
      write(content)
      expect(() => deletedRows({ ...vector }, root)).toThrow(message)
    }
    const changed = Buffer.from(bytes)
    changed.writeUInt8((changed.at(-6) ?? 0) ^ 1, changed.length - 6)
    write(changed)
    expect(() => deletedRows({ ...vector }, root)).toThrow(/wrong checksum/)
    expect(() => deletedRows({ ...vector }, `${root}/nowhere`)).toThrow(/cannot be read/)
  })

  test('when it lies outside the table', () => {
    const outside = { ...named, pathOrInlineDv: `../x${named.pathOrInlineDv.slice(2)}` }
    expect(() => deletedRows(outside, '/t')).toThrow(PathOutsideTable)
  })
})
