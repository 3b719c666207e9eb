import { InvalidSchema } from '../errors.ts'
import type { DeltaField, DeltaSchema, DeltaType } from './schema.ts'
import { typeText } from './schema.ts'

/** Names that every engine accepts without quoting or column mapping. */
const safeName = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Types whose values have one spelling as text, so that a partition value is never ambiguous. */
const partitionTypes: ReadonlySet<DeltaType> = new Set<DeltaType>([
  'string',
  'date',
  'long',
  'integer',
  'short',
  'byte',
  'boolean',
  'timestamp',
  'timestamp_ntz',
])

/** What a table allows beyond the protocol (1, 2). */
export interface SchemaRules {
  /** Columns of type `timestamp_ntz`; needs the feature timestampNtz. Default false. */
  readonly wallClock?: boolean
}

/**
 * Checks what this library asks of tables it creates or extends: safe unique names, nullable columns
 * (a `nullable:false` column counts as an invariant for Spark), and plain partition types.
 * @throws InvalidSchema naming the column
 */
export function checkNewSchema(
  schema: DeltaSchema,
  partitionColumns: readonly string[],
  table: string,
  rules: SchemaRules = {},
): void {
  checkFields(schema.fields, table, '', rules)
  const fieldOf = new Map(schema.fields.map((field) => [field.name, field]))
  for (const name of partitionColumns) {
    const field = fieldOf.get(name)
    if (field === undefined) {
      throw broken(table, name, 'partition column is not in the schema', 'add it to the schema')
    }
    const isDecimal = typeof field.type !== 'string' && field.type.type === 'decimal'
    if (!partitionTypes.has(field.type) && !isDecimal) {
      throw broken(
        table,
        name,
        `partition column of type ${typeText(field.type)}`,
        'partition by a string, date, time, decimal, boolean or whole number',
      )
    }
  }
  if (new Set(partitionColumns).size !== partitionColumns.length) {
    throw broken(table, partitionColumns.join(', '), 'partition column twice', 'list each once')
  }
  if (partitionColumns.length === schema.fields.length) {
    throw broken(table, 'schema', 'no column besides the partition columns', 'add a data column')
  }
}

function checkFields(
  fields: readonly DeltaField[],
  table: string,
  prefix: string,
  rules: SchemaRules,
): void {
  const seen = new Set<string>()
  for (const field of fields) {
    const where = prefix + field.name
    if (!safeName.test(field.name)) {
      throw broken(table, where, 'column name is not safe', 'use letters, digits and _ only')
    }
    if (seen.has(field.name.toLowerCase())) {
      throw broken(table, where, 'column name twice, ignoring case', 'rename one of them')
    }
    seen.add(field.name.toLowerCase())
    if (!field.nullable) {
      throw broken(table, where, 'column is not nullable', 'set nullable:true; check rows yourself')
    }
    checkType(field.type, table, where, rules)
  }
}

function checkType(type: DeltaType, table: string, where: string, rules: SchemaRules): void {
  if (type === 'timestamp_ntz' && rules.wallClock !== true) {
    const fix = 'use timestamp (UTC), or allow the feature timestampNtz, which older engines refuse'
    throw broken(table, where, 'column of type timestamp_ntz', fix)
  }
  if (type === 'void') throw broken(table, where, 'column of type void', 'drop the column')
  if (typeof type === 'string') return
  if (type.type === 'array') checkType(type.elementType, table, `${where}.element`, rules)
  if (type.type === 'map') {
    checkType(type.keyType, table, `${where}.key`, rules)
    checkType(type.valueType, table, `${where}.value`, rules)
  }
  if (type.type === 'struct') checkFields(type.fields, table, `${where}.`, rules)
  if (type.type === 'decimal' && !(type.precision <= 38 && type.scale <= type.precision)) {
    throw broken(table, where, `column of type ${typeText(type)}`, 'use at most 38 digits')
  }
}

function broken(table: string, where: string, what: string, fix: string): InvalidSchema {
  return new InvalidSchema({ table, where: `column ${where}`, what, fix })
}
