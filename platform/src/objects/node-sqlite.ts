import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { SqliteDatabase, SqliteStatement } from 'kysely'

/** Compiled statements kept; the store uses far fewer distinct texts, this only bounds a mistake. */
const maxStatements = 512

function adapt(statement: StatementSync): SqliteStatement {
  const values = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[]
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...values(parameters)),
    run: (parameters) => statement.run(...values(parameters)),
    iterate: (parameters) => statement.iterate(...values(parameters)),
  }
}

/**
 * Opens `node:sqlite` for durable writes and shows it in the shape that kysely's SQLite dialect
 * expects. The only module that knows the driver: newer Node versions rename its classes.
 */
export function openNodeSqlite(path: string): SqliteDatabase & { exec: (sql: string) => void } {
  const database = new DatabaseSync(path)
  // FULL: a committed action survives power loss; WAL: readers do not wait for the writer.
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  database.exec('PRAGMA foreign_keys = ON')
  database.exec('PRAGMA busy_timeout = 5000')
  const statements = new Map<string, SqliteStatement>()
  return {
    prepare: (sql) => {
      const known = statements.get(sql)
      if (known !== undefined) return known
      if (statements.size >= maxStatements) statements.clear()
      const statement = adapt(database.prepare(sql))
      statements.set(sql, statement)
      return statement
    },
    exec: (sql) => database.exec(sql),
    close: () => database.close(),
  }
}
