import type { ColumnLayout } from './column-layout.ts'
import { physicalType } from './column-layout.ts'
import type { CompactWriter } from './compact-writer.ts'
import { compactWriter } from './compact-writer.ts'

/** Encodings, by their numbers in the format. */
export const encoding = { plain: 0, rle: 3, rleDictionary: 8 } as const

/** Number of the codec Zstandard. */
const zstdCodec = 6

/** A column of the file. */
export interface FileColumn {
  readonly name: string
  readonly layout: ColumnLayout
}

/** Bounds of a column chunk as the format holds them. */
export interface ChunkBounds {
  readonly min: Uint8Array
  readonly max: Uint8Array
}

/** What the footer says about one column of a row group. */
export interface ChunkEntry {
  readonly column: FileColumn
  readonly rowCount: number
  readonly nullCount: number
  readonly bounds?: ChunkBounds
  /** Offset of the dictionary page, if there is one. */
  readonly dictionaryAt?: number
  readonly dataAt: number
  /** Sizes with page headers. */
  readonly plainBytes: number
  readonly storedBytes: number
}

/** What the footer says about a row group. */
export interface RowGroupEntry {
  readonly rowCount: number
  readonly chunks: readonly ChunkEntry[]
}

/** The first and last bytes of a Parquet file. */
export const magic = Uint8Array.from([0x50, 0x41, 0x52, 0x31])

const textBytes = new TextEncoder()

/** The end of the file: metadata, its length, the magic bytes. Source: parquet-format, parquet.thrift. */
export function fileFooter(
  columns: readonly FileColumn[],
  groups: readonly RowGroupEntry[],
): Uint8Array {
  const out = compactWriter()
  out.i32(1, 1)
  out.list(2, 'struct', [undefined, ...columns], (column) =>
    out.structItem(() => schemaElement(out, column, columns.length)),
  )
  out.i64(3, sum(groups.map(({ rowCount }) => rowCount)))
  out.list(4, 'struct', groups, (group) => out.structItem(() => rowGroup(out, group)))
  out.binary(6, textBytes.encode('@isotherm/delta'))
  // Every column orders its bounds by its type (ColumnOrder.TYPE_ORDER).
  out.list(7, 'struct', columns, () => out.structItem(() => out.struct(1, () => undefined)))
  const metadata = out.finish()
  const footer = new Uint8Array(metadata.length + 8)
  footer.set(metadata)
  new DataView(footer.buffer).setUint32(metadata.length, metadata.length, true)
  footer.set(magic, metadata.length + 4)
  return footer
}

/** The header of a page. `dictionary` pages hold `valueCount` values, data pages so many rows. */
export function pageHeader(
  kind: 'dictionary' | 'data',
  valueCount: number,
  valueEncoding: number,
  plainBytes: number,
  storedBytes: number,
): Uint8Array {
  const out = compactWriter()
  out.i32(1, kind === 'data' ? 0 : 2)
  out.i32(2, plainBytes)
  out.i32(3, storedBytes)
  out.struct(kind === 'data' ? 5 : 7, () => {
    out.i32(1, valueCount)
    out.i32(2, valueEncoding)
    if (kind === 'dictionary') return
    out.i32(3, encoding.rle)
    out.i32(4, encoding.rle)
  })
  return out.finish()
}

/** The root of the schema, or one column of it; all columns are optional, as Delta's writers have them. */
function schemaElement(
  out: CompactWriter,
  column: FileColumn | undefined,
  childCount: number,
): void {
  if (column === undefined) {
    out.i32(3, 0)
    out.binary(4, textBytes.encode('root'))
    out.i32(5, childCount)
    return
  }
  const { name, layout } = column
  out.i32(1, physicalType[layout.physical])
  if (layout.typeLength !== undefined) out.i32(2, layout.typeLength)
  out.i32(3, 1)
  out.binary(4, textBytes.encode(name))
  if (layout.convertedType !== undefined) out.i32(6, layout.convertedType)
  if (layout.decimal !== undefined) {
    out.i32(7, layout.decimal.scale)
    out.i32(8, layout.decimal.precision)
  }
  const { logicalType } = layout
  if (logicalType !== undefined) out.struct(10, () => logicalType(out))
}

function rowGroup(out: CompactWriter, { rowCount, chunks }: RowGroupEntry): void {
  out.list(1, 'struct', chunks, (chunk) =>
    out.structItem(() => {
      out.i64(2, 0)
      out.struct(3, () => columnMetadata(out, chunk))
    }),
  )
  out.i64(2, sum(chunks.map(({ plainBytes }) => plainBytes)))
  out.i64(3, rowCount)
  const first = chunks[0]
  if (first !== undefined) out.i64(5, first.dictionaryAt ?? first.dataAt)
  out.i64(6, sum(chunks.map(({ storedBytes }) => storedBytes)))
}

function columnMetadata(out: CompactWriter, chunk: ChunkEntry): void {
  const { column, bounds, dictionaryAt } = chunk
  const encodings =
    dictionaryAt === undefined
      ? [encoding.plain, encoding.rle]
      : [encoding.plain, encoding.rle, encoding.rleDictionary]
  out.i32(1, physicalType[column.layout.physical])
  out.list(2, 'i32', encodings, out.i32Item)
  out.list(3, 'binary', [textBytes.encode(column.name)], out.binaryItem)
  out.i32(4, zstdCodec)
  out.i64(5, chunk.rowCount)
  out.i64(6, chunk.plainBytes)
  out.i64(7, chunk.storedBytes)
  out.i64(9, chunk.dataAt)
  if (dictionaryAt !== undefined) out.i64(11, dictionaryAt)
  out.struct(12, () => {
    out.i64(3, chunk.nullCount)
    if (bounds === undefined) return
    out.binary(5, bounds.max)
    out.binary(6, bounds.min)
    out.bool(7, true)
    out.bool(8, true)
  })
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
