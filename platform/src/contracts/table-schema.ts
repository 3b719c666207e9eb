import type { DeltaField, DeltaType } from '@isotherm/delta'
import type { Column, ColumnType, TableContract } from './column.ts'

const duckDbTypes: Readonly<Record<ColumnType, string>> = {
  string: 'VARCHAR',
  timestamp: 'TIMESTAMPTZ',
  double: 'DOUBLE',
  integer: 'INTEGER',
  long: 'BIGINT',
  boolean: 'BOOLEAN',
  binary: 'BLOB',
  'array<string>': 'VARCHAR[]',
  'array<double>': 'DOUBLE[]',
  'map<string,double>': 'MAP(VARCHAR, DOUBLE)',
}

/** DuckDB type of a column. */
export function duckDbType(column: Column): string {
  return duckDbTypes[column.type]
}

/** A column name as SQL text. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** `CREATE TABLE` column list of a contract for DuckDB. */
export function duckDbColumns(contract: TableContract): string {
  return contract.columns
    .map((column) => `${quoteName(column.name)} ${duckDbType(column)}`)
    .join(', ')
}

function deltaType(type: ColumnType): DeltaType {
  if (type === 'array<string>') return { type: 'array', elementType: 'string', containsNull: false }
  if (type === 'array<double>') return { type: 'array', elementType: 'double', containsNull: true }
  if (type === 'map<string,double>') {
    return { type: 'map', keyType: 'string', valueType: 'double', valueContainsNull: true }
  }
  return type
}

/**
 * Delta fields of a contract. Always nullable in the table: "required" lives in the contract and
 * its checks, because `nullable:false` is an invariant that some engines refuse.
 */
export function deltaFields(contract: TableContract): readonly DeltaField[] {
  return contract.columns.map((column) => ({
    name: column.name,
    type: deltaType(column.type),
    nullable: true,
    metadata: {
      comment: column.unit === undefined ? column.meaning : `${column.meaning} [${column.unit}]`,
    },
  }))
}

type JsonSchema = Readonly<Record<string, unknown>>

function jsonType(column: Column): JsonSchema {
  const bounds =
    column.range === undefined ? {} : { minimum: column.range[0], maximum: column.range[1] }
  switch (column.type) {
    case 'string':
      return column.values === undefined
        ? { type: 'string' }
        : { type: 'string', enum: [...column.values] }
    case 'timestamp':
      return { type: 'string', format: 'date-time' }
    case 'double':
      return { type: 'number', ...bounds }
    case 'integer':
      return { type: 'integer', ...bounds }
    case 'long':
      return { type: 'string', pattern: '^-?[0-9]+$' }
    case 'boolean':
      return { type: 'boolean' }
    case 'binary':
      return { type: 'string', contentEncoding: 'base64' }
    case 'array<string>':
      return { type: 'array', items: { type: 'string' } }
    case 'array<double>':
      return { type: 'array', items: { type: 'number' } }
    case 'map<string,double>':
      return { type: 'object', additionalProperties: { type: 'number' } }
  }
}

/** JSON Schema (2020-12) of one row as the API returns it. */
export function jsonSchema(contract: TableContract): JsonSchema {
  const properties = contract.columns.map((column) => {
    const base = jsonType(column)
    const schema = column.nullable ? { anyOf: [base, { type: 'null' }] } : base
    return [column.name, { description: column.meaning, ...schema }] as const
  })
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: contract.name,
    description: contract.purpose,
    type: 'object',
    properties: Object.fromEntries(properties),
    required: contract.columns.filter(({ nullable }) => !nullable).map(({ name }) => name),
    additionalProperties: false,
  }
}
