/** Which rows of a data file to read, by their numbers from 0 in rising order. */
export interface RowChoice {
  /** `all-but`: every row but these; `only`: these and no other. */
  readonly kind: 'all-but' | 'only'
  readonly rows: Float64Array
}

/** The engine's bit strings are asked with a 32-bit position. */
const longestBits = 2 ** 31 - 64

/** A file's number times this, plus a row's number, names a row of a scan. */
const rowsPerFile = 2 ** 32

/**
 * SQL condition that keeps the chosen rows of a scan of one file. The rows go into the text as a
 * bit string, or as numbers where they are few and far apart.
 */
export function rowCondition({ kind, rows }: RowChoice): string {
  const last = rows.at(-1)
  if (last === undefined) return kind === 'all-but' ? 'true' : 'false'
  const bitBytes = Math.ceil((last + 2) / 8)
  const isSparse = rows.length * 12 < bitBytes
  if (isSparse || last >= longestBits) {
    return `file_row_number${kind === 'all-but' ? ' NOT' : ''} IN (${numbersQuery(rows)})`
  }
  // Rows behind the last bit ask for it: it is one beyond the last row, so it is never set.
  const at = `least(file_row_number, ${last + 1})::INTEGER`
  const bits = `from_base64('${base64Bits(rows, bitBytes)}')::BIT`
  return `get_bit(${bits}, ${at}) = ${kind === 'all-but' ? 0 : 1}`
}

/**
 * SQL condition that takes rows away from a scan of many files; `rows[i]` are those of file i, below 2^32.
 * Slower per row than `rowCondition` but one scan for all.
 */
export function rowConditionOfFiles(rows: readonly Float64Array[]): string {
  const keys = rows.map((numbers, file) =>
    Array.from(numbers, (row) => file * rowsPerFile + row).join(','),
  )
  const list = keys.filter((text) => text !== '').join(',')
  return `(file_index::BIGINT * ${rowsPerFile} + file_row_number) NOT IN (${queryOfList(list)})`
}

function numbersQuery(rows: Float64Array): string {
  return queryOfList(rows.join(','))
}

/** One literal parses in no time, a list of as many literals does not. */
function queryOfList(list: string): string {
  return `SELECT unnest(CAST(string_split('${list}', ',') AS BIGINT[]))`
}

/** The engine reads the highest bit of the first byte as bit 0. */
function base64Bits(rows: Float64Array, byteCount: number): string {
  const bits = Buffer.alloc(byteCount)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    bits[row >> 3]! |= 128 >> (row & 7)
  }
  return bits.toString('base64')
}
