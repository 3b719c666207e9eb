import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { expect, it, onTestFinished } from 'vitest'
import {
  type ColumnType,
  deviceAlerts,
  labelEvents,
  type TableContract,
} from '../contracts/index.ts'
import { openStateDatabase } from './state-database.ts'

/** How SQLite keeps a value of a contract: times in milliseconds, booleans as 0 and 1. */
const sqliteTypes: Partial<Readonly<Record<ColumnType, string>>> = {
  string: 'TEXT',
  timestamp: 'INTEGER',
  integer: 'INTEGER',
  boolean: 'INTEGER',
  double: 'REAL',
}

/** Columns of the store itself; the row of the contract is whole in `body`. */
const ownColumns = ['active', 'sequence', 'body', 'tracking']

type StoredColumn = { readonly name: string; readonly type: string; readonly notnull: number }

it.each<readonly [string, TableContract]>([
  ['device_alerts', deviceAlerts],
  ['label_events', labelEvents],
])(
  '%s of the state store keeps columns in the type and null rule of the contract',
  async (name, contract) => {
    const directory = mkdtempSync(join(tmpdir(), 'isotherm-state-'))
    const database = openStateDatabase(join(directory, 'state.db'))
    onTestFinished(async () => {
      await database.destroy()
      rmSync(directory, { recursive: true })
    })
    const { rows } = await sql<StoredColumn>`SELECT * FROM pragma_table_info(${name})`.execute(
      database,
    )
    const stored = rows.filter((row) => !ownColumns.includes(row.name))
    expect(stored.length).toBeGreaterThan(1)
    const declared = stored.map((row) => {
      const column = contract.columns.find((one) => one.name === row.name)
      const type = column === undefined ? 'no column of the contract' : sqliteTypes[column.type]
      return { name: row.name, type, notnull: column?.nullable === true ? 0 : 1 }
    })
    expect(stored.map((row) => ({ name: row.name, type: row.type, notnull: row.notnull }))).toEqual(
      declared,
    )
    expect(rows.map((row) => row.name)).toContain('body')
  },
)
