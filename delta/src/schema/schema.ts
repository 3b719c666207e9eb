import { InvalidSchema } from '../errors.ts'

/** Types without parts. `timestamp` is an instant (UTC), `timestamp_ntz` a wall-clock time. */
export type PrimitiveName =
  | 'string'
  | 'long'
  | 'integer'
  | 'short'
  | 'byte'
  | 'double'
  | 'float'
  | 'boolean'
  | 'binary'
  | 'date'
  | 'timestamp'
  | 'timestamp_ntz'
  | 'void'

/** A decimal number of `precision` digits, `scale` of them after the point. */
export interface DecimalType {
  readonly type: 'decimal'
  readonly precision: number
  readonly scale: number
}

/** A list. */
export interface ArrayType {
  readonly type: 'array'
  readonly elementType: DeltaType
  readonly containsNull: boolean
}

/** Keys to values; keys are never null. */
export interface MapType {
  readonly type: 'map'
  readonly keyType: DeltaType
  readonly valueType: DeltaType
  readonly valueContainsNull: boolean
}

/** Named fields; the schema of a table is one of these. */
export interface StructType {
  readonly type: 'struct'
  readonly fields: readonly DeltaField[]
}

/** The type of a column. */
export type DeltaType = PrimitiveName | DecimalType | ArrayType | MapType | StructType

/** A column, or a field of a struct. */
export interface DeltaField {
  readonly name: string
  readonly type: DeltaType
  readonly nullable: boolean
  readonly metadata: Readonly<Record<string, unknown>>
}

/** The columns of a table, partition columns included. */
export type DeltaSchema = StructType

const primitiveNames: ReadonlySet<string> = new Set<PrimitiveName>([
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
  'timestamp_ntz',
  'void',
])

/**
 * The schema string of the log's `metaData` action, parsed. No text gives no columns: such a table can
 * be listed, not scanned.
 * @throws InvalidSchema
 */
export function parseSchema(text: string, table: string): DeltaSchema {
  if (text === '') return { type: 'struct', fields: [] }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw invalidSchema(table, 'schemaString', 'a JSON object', text.slice(0, 80), cause)
  }
  const type = parseNested(json, table)
  if (typeof type === 'string' || type.type !== 'struct') {
    throw invalidSchema(table, 'schemaString', 'a struct', text.slice(0, 80))
  }
  return type
}

/** Types nested so deep that the stack does not hold them are damage, not a schema. */
function parseNested(json: unknown, table: string): DeltaType {
  try {
    return parseType(json, table, 'schemaString')
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw invalidSchema(table, 'schemaString', 'types nested a few levels', cause.message, cause)
  }
}

/** The schema in the form of the log's `metaData` action. */
export function schemaString(schema: DeltaSchema): string {
  return JSON.stringify(typeJson(schema))
}

/** Short text of a type for messages, for instance `array<decimal(10,2)>`. */
export function typeText(type: DeltaType): string {
  if (typeof type === 'string') return type
  switch (type.type) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'array':
      return `array<${typeText(type.elementType)}>`
    case 'map':
      return `map<${typeText(type.keyType)},${typeText(type.valueType)}>`
    case 'struct':
      return `struct<${type.fields.map((f) => `${f.name}:${typeText(f.type)}`).join(',')}>`
    default:
      return unreachable(type)
  }
}

/** True if the type is, or holds somewhere inside, the primitive one. */
export function holds(type: DeltaType, name: PrimitiveName): boolean {
  if (typeof type === 'string') return type === name
  switch (type.type) {
    case 'decimal':
      return false
    case 'array':
      return holds(type.elementType, name)
    case 'map':
      return holds(type.keyType, name) || holds(type.valueType, name)
    case 'struct':
      return type.fields.some((field) => holds(field.type, name))
    default:
      return unreachable(type)
  }
}

/** Stops the compiler when a union gains a member that a switch does not handle. */
export function unreachable(value: never): never {
  throw new Error(`unhandled case ${JSON.stringify(value)}: a switch lacks a branch`)
}

/** A plain JSON object, not null and not a list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseType(json: unknown, table: string, where: string): DeltaType {
  if (typeof json === 'string') {
    if (isPrimitiveName(json)) return json
    const decimal = /^decimal\(\s*(\d+)\s*,\s*(-?\d+)\s*\)$/.exec(json)
    if (decimal)
      return { type: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
    if (json === 'decimal') return { type: 'decimal', precision: 10, scale: 0 }
    throw invalidSchema(table, where, 'a type of the Delta protocol', json)
  }
  if (isRecord(json)) {
    if (json.type === 'struct' && Array.isArray(json.fields)) {
      return { type: 'struct', fields: json.fields.map((f) => parseField(f, table, where)) }
    }
    if (json.type === 'array') {
      const elementType = parseType(json.elementType, table, `${where}.element`)
      return { type: 'array', elementType, containsNull: json.containsNull !== false }
    }
    if (json.type === 'map') {
      return {
        type: 'map',
        keyType: parseType(json.keyType, table, `${where}.key`),
        valueType: parseType(json.valueType, table, `${where}.value`),
        valueContainsNull: json.valueContainsNull !== false,
      }
    }
  }
  throw invalidSchema(table, where, 'a type of the Delta protocol', JSON.stringify(json))
}

function parseField(json: unknown, table: string, where: string): DeltaField {
  if (!isRecord(json) || typeof json.name !== 'string') {
    throw invalidSchema(table, where, 'a field with a name', JSON.stringify(json))
  }
  return {
    name: json.name,
    type: parseType(json.type, table, `${where}.${json.name}`),
    nullable: json.nullable !== false,
    metadata: isRecord(json.metadata) ? json.metadata : {},
  }
}

function isPrimitiveName(text: string): text is PrimitiveName {
  return primitiveNames.has(text)
}

function typeJson(type: DeltaType): unknown {
  if (typeof type === 'string') return type
  switch (type.type) {
    case 'decimal':
      return typeText(type)
    case 'array':
      return { ...type, elementType: typeJson(type.elementType) }
    case 'map':
      return { ...type, keyType: typeJson(type.keyType), valueType: typeJson(type.valueType) }
    case 'struct':
      return {
        type: 'struct',
        fields: type.fields.map((field) => ({
          name: field.name,
          type: typeJson(field.type),
          nullable: field.nullable,
          metadata: field.metadata,
        })),
      }
    default:
      return unreachable(type)
  }
}

function invalidSchema(
  table: string,
  where: string,
  expected: string,
  found: string,
  cause?: unknown,
): InvalidSchema {
  return new InvalidSchema({
    table,
    where,
    what: 'schema does not parse',
    expected,
    found,
    fix: 'repair the metaData action or the schema passed in',
    cause,
  })
}
