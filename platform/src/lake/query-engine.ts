import { type DuckDBConnection, DuckDBInstance, StatementType } from '@duckdb/node-api'
import { IsothermError, quoteName } from '../contracts/index.ts'
import { resolveTables, type TableMention } from './table-names.ts'

/** Result of a query; cells are JSON values, timestamps ISO text, longs decimal text. */
export type QueryResult = {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly unknown[])[]
  /** True when more rows were there than `maxRows`. */
  readonly isTruncated: boolean
}

/** Bounds of a query. */
export type QueryOptions = {
  /** Default 10,000. */
  readonly maxRows?: number
  /** Default 60,000. */
  readonly timeoutMs?: number
}

/** Runs people's SQL over the lake's tables: read only, nothing outside the data folder. */
export type QueryEngine = {
  readonly query: (sql: string, options?: QueryOptions) => Promise<QueryResult>
  readonly close: () => void
}

const text = (value: string) => `'${value.replaceAll("'", "''")}'`

async function locked(tablesDirectory: string, temporaryDirectory: string) {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run(`SET allowed_directories = [${text(`${tablesDirectory}/`)}]`)
    await connection.run(`SET temp_directory = ${text(temporaryDirectory)}`)
    await connection.run("SET memory_limit = '2GiB'")
    await connection.run("SET GLOBAL TimeZone = 'UTC'")
    await connection.run('SET enable_external_access = false')
    await connection.run('SET lock_configuration = true')
  } finally {
    connection.closeSync()
  }
  return instance
}

async function checkReadOnly(connection: DuckDBConnection, sql: string): Promise<void> {
  const statements = await connection.extractStatements(sql)
  if (statements.count !== 1) {
    throw new IsothermError(
      'INPUT_INVALID',
      `a query is one SELECT statement, found ${statements.count}; send them one at a time`,
    )
  }
  const prepared = await statements.prepare(0)
  const type = prepared.statementType
  prepared.destroySync()
  if (type === StatementType.SELECT || type === StatementType.EXPLAIN) return
  throw new IsothermError(
    'INPUT_INVALID',
    'queries read only: start with SELECT, WITH or EXPLAIN; tables change through the pipeline',
  )
}

async function read(
  connection: DuckDBConnection,
  sql: string,
  { maxRows = 10_000, timeoutMs = 60_000 }: QueryOptions,
): Promise<QueryResult> {
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    connection.interrupt()
  }, timeoutMs)
  try {
    const reader = await connection.streamAndReadUntil(sql, maxRows + 1)
    const names = reader.columnNames()
    const types = reader.columnTypes()
    const rows = reader.getRowsJson()
    return {
      columns: names.map((name, index) => ({ name, type: String(types[index]) })),
      rows: rows.slice(0, maxRows),
      isTruncated: rows.length > maxRows,
    }
  } catch (cause) {
    if (isLate) {
      throw new IsothermError(
        'INPUT_INVALID',
        `the query ran longer than ${timeoutMs / 1000} s; narrow its time range or columns`,
        { cause },
      )
    }
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new IsothermError('INPUT_INVALID', `query: ${message}`, { cause })
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Opens the query engine. It is a DuckDB of its own, locked to the tables folder, so that SQL
 * from the API can neither read other files nor slow the pipeline's settings.
 */
export async function openQueryEngine(options: {
  readonly tablesDirectory: string
  readonly temporaryDirectory: string
  readonly tableNames: readonly string[]
  readonly relationOf: (mention: TableMention) => Promise<string>
}): Promise<QueryEngine> {
  const instance = await locked(options.tablesDirectory, options.temporaryDirectory)
  return {
    query: async (sql, bounds = {}) => {
      const resolved = resolveTables(sql, options.tableNames)
      const connection = await instance.connect()
      try {
        for (const [view, mention] of resolved.mentions) {
          const relation = await options.relationOf(mention)
          await connection.run(`CREATE TEMP VIEW ${quoteName(view)} AS SELECT * FROM ${relation}`)
        }
        try {
          await checkReadOnly(connection, resolved.sql)
        } catch (cause) {
          if (cause instanceof IsothermError) throw cause
          const message = cause instanceof Error ? cause.message : String(cause)
          throw new IsothermError('INPUT_INVALID', `query: ${message}`, { cause })
        }
        return await read(connection, resolved.sql, bounds)
      } finally {
        connection.closeSync()
      }
    },
    close: () => instance.closeSync(),
  }
}
