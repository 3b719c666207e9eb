import type { PlainColumn } from '../write/column-data.ts'

/** Bytes of a row group before compression, about; 128 MB is what readers of the format expect. */
const groupBytes = 128_000_000

/** The row after the last one of the row group that begins at `start`: limited in rows and in bytes. */
export function rowGroupEnd(
  columns: readonly PlainColumn[],
  start: number,
  end: number,
  maxRows: number,
): number {
  const sized = columns.filter(({ field }) => field.type === 'string' || field.type === 'binary')
  const fixedBytes = (columns.length - sized.length) * 8
  let last = Math.min(end, start + maxRows)
  last = Math.min(last, start + Math.max(1, Math.floor(groupBytes / Math.max(1, fixedBytes))))
  let bytes = 0
  let row = start
  for (; row < last && bytes < groupBytes; row++) {
    bytes += fixedBytes
    for (let index = 0; index < sized.length; index++) {
      const value = sized[index]!.values[row]
      if (typeof value === 'string' || value instanceof Uint8Array) bytes += value.length
    }
  }
  return row
}
