import {
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBDoubleVector,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api'

import { vectorItems } from './numeric-columns.ts'

/** A column to append: doubles are copied as a block, other values one by one. */
export type AppendedColumn =
  | { readonly kind: 'doubles'; readonly values: Float64Array }
  | { readonly kind: 'values'; readonly values: ArrayLike<DuckDBValue> }

/** Rows DuckDB takes in one chunk. */
const chunkRows = 2_048

/**
 * Appends columns of equal length to a table, chunk by chunk: about a million rows a second where
 * a row at a time manages a third of that.
 */
export async function appendColumns(
  connection: DuckDBConnection,
  tableName: string,
  columns: readonly AppendedColumn[],
): Promise<void> {
  const rowCount = columns[0]?.values.length ?? 0
  if (rowCount === 0) return
  const appender = await connection.createAppender(tableName)
  try {
    const types = columns.map((_, index): DuckDBType => appender.columnType(index))
    for (let start = 0; start < rowCount; start += chunkRows) {
      const size = Math.min(chunkRows, rowCount - start)
      const chunk = DuckDBDataChunk.create(types, size)
      for (const [index, column] of columns.entries()) {
        fill(chunk, index, column, start, size)
      }
      appender.appendDataChunk(chunk)
    }
    appender.flushSync()
  } finally {
    appender.closeSync()
  }
}

function fill(
  chunk: DuckDBDataChunk,
  index: number,
  column: AppendedColumn,
  start: number,
  size: number,
): void {
  const vector = chunk.getColumnVector(index)
  if (column.kind === 'doubles' && vector instanceof DuckDBDoubleVector) {
    vector[vectorItems].set(column.values.subarray(start, start + size))
  } else {
    for (let row = 0; row < size; row++) vector.setItem(row, column.values[start + row] ?? null)
  }
  vector.flush()
}
