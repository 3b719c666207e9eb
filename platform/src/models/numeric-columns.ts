import { type DuckDBConnection, DuckDBDoubleVector } from '@duckdb/node-api'
import { IsothermError } from '../contracts/index.ts'

/** Columns of a query result: numbers row-major in one array, texts one array per column. */
export type NumericColumns = {
  readonly rowCount: number
  /** rowCount × numbers, row-major. */
  readonly values: Float64Array
  readonly texts: readonly (readonly (string | null)[])[]
}

/** Field of a vector with DuckDB's own memory; its public face copies value by value. */
export const vectorItems = 'items'

/**
 * Reads a query whose first `numberCount` columns are DOUBLE without null and whose other columns
 * are VARCHAR. The doubles are taken from DuckDB's vectors as typed arrays: 100,000 × 45 in about
 * 0.1 s where the value-by-value interface takes 0.28 s.
 * @param expectedRows sizes the buffer; a result of other length is read correctly too
 */
export async function readNumericColumns(
  connection: DuckDBConnection,
  query: string,
  options: {
    readonly numberCount: number
    readonly textCount: number
    readonly expectedRows: number
  },
): Promise<NumericColumns> {
  const { numberCount, textCount, expectedRows } = options
  let values = new Float64Array(Math.max(expectedRows, 1) * numberCount)
  const texts: (string | null)[][] = Array.from({ length: textCount }, () => [])
  let rowCount = 0
  const result = await connection.stream(query)
  for await (const chunk of result) {
    const size = chunk.rowCount
    if ((rowCount + size) * numberCount > values.length) {
      const larger = new Float64Array(2 * (rowCount + size) * numberCount)
      larger.set(values)
      values = larger
    }
    for (let column = 0; column < numberCount; column++) {
      const items = doubles(chunk.getColumnVector(column))[vectorItems]
      transpose(items, size, values, rowCount * numberCount + column, numberCount)
    }
    for (let column = 0; column < textCount; column++) {
      const vector = chunk.getColumnVector(numberCount + column)
      const text = texts[column]!
      for (let row = 0; row < size; row++) {
        const item = vector.getItem(row)
        text.push(typeof item === 'string' ? item : null)
      }
    }
    rowCount += size
  }
  return { rowCount, values: values.subarray(0, rowCount * numberCount), texts }
}

function doubles(vector: unknown): DuckDBDoubleVector {
  if (vector instanceof DuckDBDoubleVector) return vector
  throw new IsothermError(
    'CONTRACT_INVALID',
    `a numeric column was read as ${Object(vector).constructor.name}; cast it to DOUBLE in the query`,
  )
}

function transpose(
  items: Float64Array,
  count: number,
  out: Float64Array,
  start: number,
  step: number,
): void {
  for (let row = 0, at = start; row < count; row++, at += step) out[at] = items[row]!
}
