import { sqlName } from '../data/sql-text.ts'
import { InvalidSchema } from '../errors.ts'
import type { DeltaField, DeltaType, PrimitiveName } from './schema.ts'
import { unreachable } from './schema.ts'

const duckDbNames: Readonly<Record<PrimitiveName, string>> = {
  string: 'VARCHAR',
  long: 'BIGINT',
  integer: 'INTEGER',
  short: 'SMALLINT',
  byte: 'TINYINT',
  double: 'DOUBLE',
  float: 'FLOAT',
  boolean: 'BOOLEAN',
  binary: 'BLOB',
  date: 'DATE',
  timestamp: 'TIMESTAMP WITH TIME ZONE',
  timestamp_ntz: 'TIMESTAMP',
  void: 'INTEGER',
}

const deltaNames: ReadonlyMap<string, PrimitiveName> = new Map<string, PrimitiveName>([
  ['VARCHAR', 'string'],
  ['TEXT', 'string'],
  ['STRING', 'string'],
  ['BIGINT', 'long'],
  ['INTEGER', 'integer'],
  ['INT', 'integer'],
  ['SMALLINT', 'short'],
  ['TINYINT', 'byte'],
  ['DOUBLE', 'double'],
  ['FLOAT', 'float'],
  ['REAL', 'float'],
  ['BOOLEAN', 'boolean'],
  ['BLOB', 'binary'],
  ['DATE', 'date'],
  ['TIMESTAMPTZ', 'timestamp'],
  ['TIMESTAMP WITH TIME ZONE', 'timestamp'],
  ['TIMESTAMP', 'timestamp_ntz'],
])

/** The SQL type that holds every value of a Delta type. */
export function toDuckDbType(type: DeltaType): string {
  if (typeof type === 'string') return duckDbNames[type]
  switch (type.type) {
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`
    case 'array':
      return `${toDuckDbType(type.elementType)}[]`
    case 'map':
      return `MAP(${toDuckDbType(type.keyType)}, ${toDuckDbType(type.valueType)})`
    case 'struct':
      return `STRUCT(${type.fields.map((f) => `${sqlName(f.name)} ${toDuckDbType(f.type)}`).join(', ')})`
    default:
      return unreachable(type)
  }
}

/**
 * The Delta type of a SQL type in the spelling of DESCRIBE, for instance `STRUCT(a INTEGER[])`.
 * @throws InvalidSchema for types Delta has no counterpart of (unsigned, 128-bit, intervals, enums)
 */
export function fromDuckDbType(sqlType: string): DeltaType {
  const parser = { text: sqlType, at: 0 }
  const type = parseType(parser)
  skipSpace(parser)
  if (parser.at !== sqlType.length) throw noCounterpart(sqlType)
  return type
}

interface TypeParser {
  readonly text: string
  at: number
}

function parseType(parser: TypeParser): DeltaType {
  let type = parseBase(parser)
  while (take(parser, '[')) {
    while (/[0-9]/.test(parser.text[parser.at] ?? '')) parser.at++
    expect(parser, ']')
    type = { type: 'array', elementType: type, containsNull: true }
  }
  return type
}

function parseBase(parser: TypeParser): DeltaType {
  const word = takeWord(parser).toUpperCase()
  if (word === 'STRUCT') {
    return { type: 'struct', fields: parseFields(parser) }
  }
  if (word === 'MAP') {
    expect(parser, '(')
    const keyType = parseType(parser)
    expect(parser, ',')
    const valueType = parseType(parser)
    expect(parser, ')')
    return { type: 'map', keyType, valueType, valueContainsNull: true }
  }
  if (word === 'DECIMAL' || word === 'NUMERIC') {
    if (!take(parser, '(')) return { type: 'decimal', precision: 18, scale: 3 }
    const precision = Number(takeWord(parser))
    const scale = take(parser, ',') ? Number(takeWord(parser)) : 0
    expect(parser, ')')
    return { type: 'decimal', precision, scale }
  }
  const zone = ' WITH TIME ZONE'
  if (word === 'TIMESTAMP' && parser.text.toUpperCase().startsWith(zone, parser.at)) {
    parser.at += zone.length
    return 'timestamp'
  }
  const name = deltaNames.get(word)
  if (name === undefined) throw noCounterpart(parser.text)
  return name
}

function parseFields(parser: TypeParser): readonly DeltaField[] {
  const fields: DeltaField[] = []
  expect(parser, '(')
  do {
    const name = takeWord(parser)
    fields.push({ name, type: parseType(parser), nullable: true, metadata: {} })
  } while (take(parser, ','))
  expect(parser, ')')
  return fields
}

/** A bare or quoted word; quotes inside a quoted one are doubled. */
function takeWord(parser: TypeParser): string {
  skipSpace(parser)
  const rest = parser.text.slice(parser.at)
  const match = /^(?:"((?:[^"]|"")*)"|([\p{L}\p{N}_$]+))/u.exec(rest)
  if (match === null) throw noCounterpart(parser.text)
  parser.at += match[0].length
  return match[2] ?? (match[1] ?? '').replaceAll('""', '"')
}

function take(parser: TypeParser, mark: string): boolean {
  skipSpace(parser)
  if (parser.text[parser.at] !== mark) return false
  parser.at++
  return true
}

function expect(parser: TypeParser, mark: string): void {
  if (!take(parser, mark)) throw noCounterpart(parser.text)
}

function skipSpace(parser: TypeParser): void {
  // A space before WITH belongs to the type name, so only spaces before other words are skipped.
  while (
    parser.text[parser.at] === ' ' &&
    !parser.text.toUpperCase().startsWith(' WITH', parser.at)
  ) {
    parser.at++
  }
}

function noCounterpart(sqlType: string): InvalidSchema {
  return new InvalidSchema({
    table: 'SQL',
    where: `type ${sqlType}`,
    what: 'has no counterpart in Delta',
    fix: 'cast it to one of the types that toDuckDbType gives',
  })
}
