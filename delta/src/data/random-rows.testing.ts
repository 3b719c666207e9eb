import fc from 'fast-check'
import { toDuckDbType } from '../schema/duckdb-types.ts'
import type { DeltaSchema, DeltaType } from '../schema/schema.ts'
import { schemaOf } from '../scratch.testing.ts'
import { sqlName, sqlText } from './sql-text.ts'

/** Rows as a SQL query whose columns have the types of the schema. */
export interface RandomRows {
  readonly schema: DeltaSchema
  readonly partitionColumns: readonly string[]
  readonly query: string
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('a', '\u007f', 'é', '\u{1f600}'),
    minLength: 28,
    maxLength: 70,
  }),
)
const safeText = text.map((value) => value.replaceAll('\u0000', '').toWellFormed())
const instant = fc
  .tuple(
    fc.integer({ min: -2_000_000_000, max: 4_000_000_000 }),
    fc.integer({ min: 0, max: 999_999 }),
  )
  .map(([seconds, micros]) => `make_timestamp(${seconds}000000 + ${micros})`)

/** SQL literals of a type. */
function literalOf(type: DeltaType): fc.Arbitrary<string> {
  const value = plainLiteral(type)
  return fc.oneof({ weight: 4, arbitrary: value }, { weight: 1, arbitrary: fc.constant('NULL') })
}

function plainLiteral(type: DeltaType): fc.Arbitrary<string> {
  if (typeof type !== 'string') return nestedLiteral(type)
  switch (type) {
    case 'string':
      return safeText.map(sqlText)
    case 'long':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)
    case 'integer':
      return fc.integer().map(String)
    case 'short':
      return fc.integer({ min: -32768, max: 32767 }).map(String)
    case 'byte':
      return fc.integer({ min: -128, max: 127 }).map(String)
    case 'double':
    case 'float':
      return fc.oneof(
        fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => `'${value}'::DOUBLE`),
        fc
          .constantFrom('NaN', 'Infinity', '-Infinity', '0', '-0', '0.1')
          .map((value) => `'${value}'::DOUBLE`),
      )
    case 'boolean':
      return fc.constantFrom('true', 'false')
    case 'binary':
      return fc
        .uint8Array({ maxLength: 8 })
        .map((bytes) => `unhex('${Buffer.from(bytes).toString('hex')}')`)
    case 'date':
      return fc.integer({ min: -30_000, max: 60_000 }).map((days) => `DATE '1970-01-01' + ${days}`)
    case 'timestamp':
      return instant.map((micros) => `${micros}::TIMESTAMPTZ`)
    default:
      return fc.constant('NULL')
  }
}

function nestedLiteral(type: Exclude<DeltaType, string>): fc.Arbitrary<string> {
  switch (type.type) {
    case 'decimal': {
      const digits = fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n })
      return digits
        .map((value) => `${value}::DECIMAL(38,0) / 1000`)
        .map((sql) => `CAST(${sql} AS DECIMAL(${type.precision},${type.scale}))`)
    }
    case 'array':
      return fc
        .array(literalOf(type.elementType), { maxLength: 3 })
        .map((items) => `[${items.join(', ')}]`)
    case 'map':
      return fc
        .tuple(plainLiteral(type.keyType), literalOf(type.valueType))
        .map(([key, value]) => `MAP {${key}: ${value}}`)
    case 'struct':
      return fc
        .tuple(...type.fields.map((field) => literalOf(field.type)))
        .map(
          (values) =>
            `{${values.map((value, i) => `${sqlName(type.fields[i]?.name ?? '')}: ${value}`).join(', ')}}`,
        )
  }
}

const columnTypes: readonly DeltaType[] = [
  'string',
  'long',
  'integer',
  'short',
  'byte',
  'double',
  'float',
  'boolean',
  'binary',
  'date',
  'timestamp',
  { type: 'decimal', precision: 20, scale: 3 },
  { type: 'decimal', precision: 38, scale: 10 },
  { type: 'array', elementType: 'double', containsNull: true },
  { type: 'map', keyType: 'string', valueType: 'long', valueContainsNull: true },
  schemaOf({ x: 'double', inner: schemaOf({ name: 'string', at: 'timestamp' }) }),
]

const partitionTypes: readonly DeltaType[] = [
  'string',
  'string',
  'date',
  'integer',
  'boolean',
  'timestamp',
  { type: 'decimal', precision: 20, scale: 3 },
]

/** A schema of a few columns, maybe partition columns, and a query with a few rows of it. */
export const randomRows: fc.Arbitrary<RandomRows> = fc
  .record({
    types: fc.array(fc.constantFrom(...columnTypes), { minLength: 1, maxLength: 6 }),
    partitionTypes: fc.array(fc.constantFrom(...partitionTypes), { maxLength: 2 }),
  })
  .chain(({ types, partitionTypes }) => {
    const data = types.map((type, i) => [`c${i}`, type] as const)
    const partitions = partitionTypes.map((type, i) => [`p${i}`, type] as const)
    const schema = schemaOf(Object.fromEntries([...data, ...partitions]))
    // Short texts: the engine names a folder after the escaped value, and names end at 255 bytes.
    const shortText = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 })
    const partitionValue = (type: DeltaType) =>
      type === 'string'
        ? shortText.map((value) => sqlText(value.replaceAll('\u0000', '0').toWellFormed()))
        : literalOf(type)
    const row = fc.tuple(
      ...data.map(([, type]) => literalOf(type)),
      ...partitions.map(([, type]) => partitionValue(type)),
    )
    return fc.array(row, { minLength: 1, maxLength: 12 }).map((rows): RandomRows => {
      const selects = rows.map((values) => {
        const columns = schema.fields.map(
          (field, i) =>
            `CAST(${values[i]} AS ${toDuckDbType(field.type)}) AS ${sqlName(field.name)}`,
        )
        return `SELECT ${columns.join(', ')}`
      })
      return {
        schema,
        partitionColumns: partitions.map(([name]) => name),
        query: selects.join(' UNION ALL '),
      }
    })
  })
