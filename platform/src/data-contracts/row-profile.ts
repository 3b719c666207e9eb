import type { DuckDBConnection } from '@duckdb/node-api'
import { type ColumnType, IsothermError, quoteName } from '../contracts/index.ts'

/** What a stretch of rows shows of one column. */
export type ColumnProfile = {
  /** Name in the rows. */
  readonly name: string
  readonly type: ColumnType
  readonly nullCount: number
  /** Exact where there are few; an estimate within a few percent where there are many. */
  readonly distinctCount: number
  /** Smallest and largest finite value of a numeric column. */
  readonly range?: readonly [number, number]
  /** Values of a text column with few of them, no identifier and no date, sorted. */
  readonly values?: readonly string[]
}

/** What a stretch of rows shows, enough to suggest a contract from. */
export type RowProfile = {
  readonly rowCount: number
  readonly columns: readonly ColumnProfile[]
  /** Columns that together name a row. */
  readonly key: readonly string[]
  readonly timeColumn?: string
  /** Median and longest time between two rows of one entity, seconds. */
  readonly medianGapSeconds?: number
  readonly maxGapSeconds?: number
}

/** Rows to look at. */
export type RowSource = {
  /** SQL for a FROM clause. */
  readonly relation: string
  /** Key columns, where they are known; default: found. */
  readonly key?: readonly string[]
  /** Time of a row; default: the first timestamp column. */
  readonly timeColumn?: string
}

/** Longest list of values that is taken for a closed set. */
const mostValues = 10
/** Rows per value before a list counts as closed. */
const rowsPerValue = 30

/** Logical type of a DuckDB type, or undefined for one that contracts do not know. */
export function logicalTypeOf(duckDbType: string): ColumnType | undefined {
  if (/^(TIMESTAMP|DATE$)/.test(duckDbType)) return 'timestamp'
  if (/^(DOUBLE|FLOAT|DECIMAL|HUGEINT|UHUGEINT)/.test(duckDbType)) return 'double'
  if (/^U?(BIGINT|INTEGER|SMALLINT|TINYINT)$/.test(duckDbType)) return 'long'
  if (/^(VARCHAR|UUID|TIME|ENUM)/.test(duckDbType)) {
    return duckDbType.endsWith('[]') ? 'array<string>' : 'string'
  }
  if (duckDbType === 'BOOLEAN') return 'boolean'
  if (duckDbType === 'BLOB') return 'binary'
  if (duckDbType === 'MAP(VARCHAR, DOUBLE)') return 'map<string,double>'
  return undefined
}

type Cells = Readonly<Record<string, unknown>>

async function rowsOf(connection: DuckDBConnection, sql: string): Promise<readonly Cells[]> {
  return (await connection.runAndReadAll(sql)).getRowObjects()
}

/** Names and DuckDB types of the columns of a relation, in order. */
export async function describeRows(
  connection: DuckDBConnection,
  relation: string,
): Promise<readonly { readonly name: string; readonly duckDbType: string }[]> {
  const described = await rowsOf(connection, `DESCRIBE SELECT * FROM ${relation}`)
  return described.map((row) => ({
    name: String(row.column_name),
    duckDbType: String(row.column_type),
  }))
}

const isNumeric = (type: ColumnType) => type === 'double' || type === 'long'

async function profileColumns(
  connection: DuckDBConnection,
  relation: string,
): Promise<{ readonly rowCount: number; readonly columns: readonly ColumnProfile[] }> {
  const described = await describeRows(connection, relation)
  const known = described.map(({ name, duckDbType }) => {
    const type = duckDbType === 'DOUBLE[]' ? 'array<double>' : logicalTypeOf(duckDbType)
    if (type !== undefined) return { name, type }
    throw new IsothermError('CONTRACT_INVALID', `${name}: ${duckDbType} has no place in a contract`)
  })
  const counted = known.flatMap(({ name, type }, i) => {
    const column = quoteName(name)
    const finite = `FILTER (WHERE isfinite(${column}::DOUBLE))`
    const bounds = isNumeric(type)
      ? [
          `min(${column})${finite}::DOUBLE AS low_${i}`,
          `max(${column})${finite}::DOUBLE AS high_${i}`,
        ]
      : []
    return [
      `count(${column})::DOUBLE AS count_${i}`,
      `approx_count_distinct(${column})::DOUBLE AS distinct_${i}`,
      ...bounds,
    ]
  })
  const [row = {}] = await rowsOf(
    connection,
    `SELECT count(*)::DOUBLE AS row_count, ${counted.join(', ')} FROM ${relation}`,
  )
  const rowCount = Number(row.row_count)
  // Exact counts of many-valued columns would cost the memory of all their values.
  const few = known.filter((_, i) => Number(row[`distinct_${i}`]) <= 4 * mostValues)
  const exactCounts = few.map(
    ({ name }) => `count(DISTINCT ${quoteName(name)})::DOUBLE AS ${quoteName(name)}`,
  )
  const [exact = {}] =
    few.length === 0
      ? []
      : await rowsOf(connection, `SELECT ${exactCounts.join(', ')} FROM ${relation}`)
  const columns: ColumnProfile[] = []
  for (const [i, { name, type }] of known.entries()) {
    const distinctCount = Number(exact[name] ?? row[`distinct_${i}`])
    const [low, high] = [row[`low_${i}`], row[`high_${i}`]]
    const isClosed =
      distinctCount > 1 &&
      distinctCount <= mostValues &&
      distinctCount * rowsPerValue <= rowCount &&
      !/(^|_)id$/i.test(name)
    const column = quoteName(name)
    const list = `SELECT DISTINCT ${column} AS value FROM ${relation} WHERE ${column} IS NOT NULL`
    const found =
      type === 'string' && isClosed
        ? (await rowsOf(connection, list)).map(({ value }) => String(value)).toSorted()
        : []
    // Dates and numbers go on: few of them in a week are no closed set.
    const goOn = found.every((value) => /^\d/.test(value))
    const values = found.length === 0 || goOn ? undefined : found
    columns.push({
      name,
      type,
      nullCount: rowCount - Number(row[`count_${i}`]),
      distinctCount,
      ...(typeof low === 'number' && typeof high === 'number' && { range: [low, high] as const }),
      ...(values !== undefined && { values }),
    })
  }
  return { rowCount, columns }
}

async function isUnique(
  connection: DuckDBConnection,
  relation: string,
  names: readonly string[],
): Promise<boolean> {
  const list = names.map(quoteName).join(', ')
  const [row = {}] = await rowsOf(
    connection,
    `SELECT count(*) = count(DISTINCT (${list})) AS is_unique FROM ${relation}`,
  )
  return row.is_unique === true
}

/** The fewest columns that name a row: the time, an entity and the time, or an identifier. */
async function findKey(
  connection: DuckDBConnection,
  relation: string,
  columns: readonly ColumnProfile[],
  timeColumn: string | undefined,
): Promise<readonly string[] | undefined> {
  const whole = columns.filter(({ nullCount }) => nullCount === 0)
  const named = whole.filter(({ type }) => type === 'string' || type === 'long')
  const timed = whole.some(({ name }) => name === timeColumn) ? timeColumn : undefined
  const candidates = [
    ...(timed === undefined ? [] : [[timed], ...named.map(({ name }) => [name, timed])]),
    ...named.map(({ name }) => [name]),
  ]
  for (const candidate of candidates) {
    if (await isUnique(connection, relation, candidate)) return candidate
  }
  return undefined
}

/** Median and longest seconds between consecutive rows of an entity. */
export async function gapsOf(
  connection: DuckDBConnection,
  relation: string,
  timeSql: string,
  entitySql: readonly string[],
): Promise<{ readonly median: number; readonly longest: number } | undefined> {
  const partition = entitySql.length === 0 ? '' : `PARTITION BY ${entitySql.join(', ')} `
  const [row = {}] = await rowsOf(
    connection,
    `SELECT median(gap)::DOUBLE AS median_gap, max(gap)::DOUBLE AS max_gap FROM (
      SELECT (epoch_us(t) - lag(epoch_us(t)) OVER (${partition}ORDER BY t)) / 1e6 AS gap
      FROM (SELECT *, (${timeSql})::TIMESTAMP AS t FROM ${relation}) WHERE t IS NOT NULL
    ) WHERE gap > 0`,
  )
  return typeof row.median_gap === 'number' && typeof row.max_gap === 'number'
    ? { median: row.median_gap, longest: row.max_gap }
    : undefined
}

/**
 * Looks once over a stretch of rows: types, nulls, ranges, few-valued texts, the key and the time
 * between rows. The connection's `TimeZone` should be UTC.
 * @throws IsothermError CONTRACT_INVALID for no rows, an unknown type, or no key to be found
 */
export async function profileRows(
  connection: DuckDBConnection,
  source: RowSource,
): Promise<RowProfile> {
  const { relation } = source
  const { rowCount, columns } = await profileColumns(connection, relation)
  if (rowCount === 0) {
    throw new IsothermError('CONTRACT_INVALID', 'no rows: a contract cannot be learned from none')
  }
  const timeColumn = source.timeColumn ?? columns.find(({ type }) => type === 'timestamp')?.name
  const missing = [...(source.key ?? []), ...(timeColumn === undefined ? [] : [timeColumn])].find(
    (name) => !columns.some((column) => column.name === name),
  )
  if (missing !== undefined) {
    const names = columns.map(({ name }) => name).join(', ')
    throw new IsothermError('CONTRACT_INVALID', `there is no column ${missing}; found ${names}`)
  }
  const key = source.key ?? (await findKey(connection, relation, columns, timeColumn))
  if (key === undefined || !(await isUnique(connection, relation, key))) {
    throw new IsothermError(
      'CONTRACT_INVALID',
      `no column or pair with the time names a row${key === undefined ? '' : ` (${key.join(', ')})`}: ` +
        'rows are there twice, or the key is wider; give it with --key',
    )
  }
  const entities = key.filter((name) => name !== timeColumn).map(quoteName)
  const gaps =
    timeColumn !== undefined && key.includes(timeColumn)
      ? await gapsOf(connection, relation, quoteName(timeColumn), entities)
      : undefined
  return {
    rowCount,
    columns,
    key,
    ...(timeColumn !== undefined && { timeColumn }),
    ...(gaps !== undefined && { medianGapSeconds: gaps.median, maxGapSeconds: gaps.longest }),
  }
}
