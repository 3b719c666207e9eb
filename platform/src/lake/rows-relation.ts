import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ColumnType, quoteName, type TableContract } from '../contracts/index.ts'

/** How a column travels through NDJSON: what JSON cannot say goes as text or epoch milliseconds. */
const carriers: Readonly<Record<ColumnType, readonly [type: string, restore: string]>> = {
  string: ['VARCHAR', '$'],
  timestamp: ['DOUBLE', 'make_timestamptz(($ * 1000)::BIGINT)'],
  double: ['DOUBLE', '$'],
  integer: ['INTEGER', '$'],
  long: ['VARCHAR', '$::BIGINT'],
  boolean: ['BOOLEAN', '$'],
  binary: ['VARCHAR', 'from_base64($)'],
  'array<string>': ['VARCHAR[]', '$'],
  'array<double>': ['DOUBLE[]', '$'],
  'map<string,double>': ['MAP(VARCHAR, DOUBLE)', '$'],
}

function jsonCell(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}

/**
 * Rows of a contract as SQL for a FROM clause, for the small tables that JavaScript writes. The
 * rows wait in a file of the folder until `work` is done.
 */
export async function withRows<T>(
  folder: string,
  contract: TableContract,
  rows: readonly Readonly<Record<string, unknown>>[],
  work: (relation: string) => Promise<T>,
): Promise<T> {
  const path = join(folder, `rows-${randomUUID()}.ndjson`)
  await writeFile(path, rows.map((row) => `${JSON.stringify(row, jsonCell)}\n`).join(''))
  try {
    const types = contract.columns.map(
      ({ name, type }) => `${quoteName(name)}: '${carriers[type][0]}'`,
    )
    const columns = contract.columns.map(({ name, type }) => {
      const restored = carriers[type][1].replace('$', quoteName(name))
      return `${restored} AS ${quoteName(name)}`
    })
    const file = `'${path.replaceAll("'", "''")}'`
    return await work(
      `(SELECT ${columns.join(', ')} FROM read_ndjson(${file}, columns = {${types.join(', ')}}))`,
    )
  } finally {
    await rm(path, { force: true })
  }
}

/** Texts as a SQL list for `IN (...)`; an empty list matches nothing. */
export function sqlList(values: readonly string[]): string {
  return values.map((value) => `'${value.replaceAll("'", "''")}'`).join(', ') || 'NULL'
}
