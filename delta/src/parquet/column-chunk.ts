import type { ColumnLayout } from './column-layout.ts'
import { encoding } from './file-footer.ts'
import { definitionLevels, packedBits, packedIndices } from './levels.ts'
import type { PresentValues } from './present-values.ts'
import { plainByteArrays, plainTexts, textCodes } from './text-pages.ts'
import type { ValueBounds } from './value-bounds.ts'
import { textBounds, valueBounds } from './value-bounds.ts'

/** A page before compression: its parts, one after the other. */
export interface PlainPage {
  readonly kind: 'dictionary' | 'data'
  /** Rows, nulls included; entries of a dictionary. */
  readonly valueCount: number
  readonly encoding: number
  readonly parts: readonly Uint8Array[]
}

/** Rows of a page: a mebibyte of doubles. */
const pageRows = 131_072

/** A page of texts ends at about so many UTF-16 units or bytes. */
const pageUnits = 1_048_576

/** The pages of a column's rows in a row group, one by one, and the bounds of its values. */
export function columnChunk(
  present: PresentValues,
  layout: ColumnLayout,
): { readonly pages: Iterable<PlainPage>; readonly bounds: ValueBounds } {
  const { values } = present
  if (values.kind === 'texts') return textChunk(present, values.items)
  return { pages: dataPages(present, valueEncoder(present, layout)), bounds: valueBounds(present) }
}

/** The value bytes of a page, from its first to its last value. */
type ValueEncoder = (start: number, end: number) => Uint8Array

function valueEncoder({ values }: PresentValues, layout: ColumnLayout): ValueEncoder {
  switch (values.kind) {
    case 'numbers': {
      const { items } = values
      const width = items.BYTES_PER_ELEMENT
      return (start, end) =>
        new Uint8Array(items.buffer, items.byteOffset + start * width, (end - start) * width)
    }
    case 'flags':
      return (start, end) => packedBits(values.items, start, end)
    case 'bytes':
      return (start, end) => plainByteArrays(values.items, start, end)
    case 'texts':
      return (start, end) => plainTexts(values.items, start, end)
    case 'wideDecimals':
      return (start, end) => wideDecimals(values.items, layout.typeLength ?? 0, start, end)
  }
}

function textChunk(present: PresentValues, given: readonly string[]) {
  const coded = textCodes(given)
  if (coded === undefined) {
    const texts = given.every((text) => text.isWellFormed())
      ? given
      : given.map((text) => text.toWellFormed())
    const encode: ValueEncoder = (start, end) => plainTexts(texts, start, end)
    return { pages: dataPages(present, encode), bounds: textBounds(texts) }
  }
  const texts = coded.texts.map((text) => text.toWellFormed())
  return { pages: dictionaryPages(present, texts, coded.codes), bounds: textBounds(texts) }
}

function* dictionaryPages(
  present: PresentValues,
  texts: readonly string[],
  codes: Uint32Array,
): Iterable<PlainPage> {
  yield {
    kind: 'dictionary',
    valueCount: texts.length,
    encoding: encoding.plain,
    parts: [plainTexts(texts, 0, texts.length)],
  }
  // A width of no bits is allowed, but some readers stumble over it.
  const bitWidth = Math.max(1, 32 - Math.clz32(texts.length - 1))
  const encode: ValueEncoder = (start, end) => packedIndices(codes, start, end, bitWidth)
  yield* dataPages(present, encode, encoding.rleDictionary)
}

function* dataPages(
  present: PresentValues,
  encode: ValueEncoder,
  valueEncoding: number = encoding.plain,
): Iterable<PlainPage> {
  const { rowCount, valid } = present
  let firstValue = 0
  for (let start = 0; start < rowCount; ) {
    const end = pageEnd(present, start, firstValue, valueEncoding)
    const endValue = valid === undefined ? end : firstValue + countOnes(valid, start, end)
    const levels = definitionLevels(valid, start, end)
    yield {
      kind: 'data',
      valueCount: end - start,
      encoding: valueEncoding,
      parts: [levels, encode(firstValue, endValue)],
    }
    start = end
    firstValue = endValue
  }
}

function pageEnd(
  { rowCount, valid, values }: PresentValues,
  start: number,
  firstValue: number,
  valueEncoding: number,
): number {
  const last = Math.min(rowCount, start + pageRows)
  const isSized = values.kind === 'texts' || values.kind === 'bytes'
  if (!isSized || valueEncoding !== encoding.plain) return last
  let unitCount = 0
  let value = firstValue
  for (let row = start; row < last; row++) {
    if (valid !== undefined && valid[row] === 0) continue
    unitCount += values.items[value++]!.length
    if (unitCount >= pageUnits) return row + 1
  }
  return last
}

function countOnes(valid: Uint8Array, start: number, end: number): number {
  let count = 0
  for (let i = start; i < end; i++) count += valid[i]!
  return count
}

/** Two's complement, the highest byte first. */
function wideDecimals(
  items: readonly bigint[],
  width: number,
  start: number,
  end: number,
): Uint8Array {
  const bytes = new Uint8Array((end - start) * width)
  const view = new DataView(bytes.buffer)
  for (let i = start; i < end; i++) {
    const at = (i - start) * width
    view.setBigInt64(at, items[i]! >> 64n)
    view.setBigUint64(at + 8, BigInt.asUintN(64, items[i]!))
  }
  return bytes
}
