// Reads and appends to Delta tables with chdb, as told by a file of jobs (see engine-jobs.ts). It
// is a process of its own: chdb reads only below the folder that it was started in.
import { createWriteStream, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { DeltaField, DeltaType } from '@isotherm/delta'
import type { EngineJob } from './engine-jobs.ts'
import { canonicalRow, type Value } from './values.ts'

type Chdb = {
  readonly queryAsync: (
    sql: string,
    options: { readonly format: string },
  ) => Promise<{ readonly bytes: () => Uint8Array }>
}

const referees = join(import.meta.dirname, '..', '..', 'referees', 'package.json')
const require = createRequire(referees)
const { queryAsync } = require('chdb') as Chdb
const { version } = require('chdb/package.json') as { readonly version: string }

const settings = [
  "session_timezone = 'UTC'",
  'output_format_json_quote_64bit_integers = 1',
  'output_format_json_quote_decimals = 1',
  'output_format_json_quote_denormals = 1',
  'output_format_json_named_tuples_as_objects = 0',
  'output_format_json_map_as_array_of_tuples = 1',
  'output_format_decimal_trailing_zeros = 1',
  'use_hive_partitioning = 0',
]

/** Rows of a query. Bytes stay bytes: each is one letter of the JSON text until a column's type tells. */
async function rowsOf(sql: string): Promise<readonly (readonly unknown[])[]> {
  const result = await queryAsync(sql, { format: 'JSONCompactEachRow' })
  const text = Buffer.from(result.bytes()).toString('latin1')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as readonly unknown[])
}

function bytesOf(text: string): Buffer {
  const parts = [...text].map((letter) =>
    letter.charCodeAt(0) < 256 ? Buffer.from(letter, 'latin1') : Buffer.from(letter, 'utf8'),
  )
  return Buffer.concat(parts)
}

function daysOf(text: string): bigint {
  return BigInt(Date.parse(`${text}T00:00:00Z`) / 86_400_000)
}

function microsOf(text: string): bigint {
  const seconds = BigInt(Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}Z`)) * 1000n
  return seconds + BigInt(text.slice(20).padEnd(6, '0') || '0')
}

function unscaledOf(text: string, scale: number): bigint {
  const [whole = '', fraction = ''] = text.split('.')
  return BigInt(whole + fraction.padEnd(scale, '0'))
}

function valueFrom(type: DeltaType, found: unknown): Value {
  if (found === null) return null
  if (typeof type === 'object') {
    if (type.type === 'decimal') return unscaledOf(String(found), type.scale)
    const items = found as readonly unknown[]
    if (type.type === 'array') return items.map((item) => valueFrom(type.elementType, item))
    if (type.type === 'struct') {
      return type.fields.map((field, i) => valueFrom(field.type, items[i] ?? null))
    }
    return (items as readonly (readonly unknown[])[]).map(([key, item]) => [
      valueFrom(type.keyType, key),
      valueFrom(type.valueType, item),
    ])
  }
  switch (type) {
    case 'string':
      return bytesOf(String(found)).toString('utf8')
    case 'binary':
      return bytesOf(String(found))
    case 'boolean':
      return found === true || found === 1
    case 'double':
      return numberOf(found)
    case 'float':
      return Math.fround(numberOf(found))
    case 'date':
      return daysOf(String(found))
    case 'timestamp':
    case 'timestamp_ntz':
      return microsOf(String(found))
    case 'void':
      return null
    default:
      return BigInt(String(found))
  }
}

function numberOf(found: unknown): number {
  const words: Readonly<Record<string, number>> = {
    nan: Number.NaN,
    inf: Infinity,
    '-inf': -Infinity,
  }
  return typeof found === 'string' ? (words[found] ?? Number(found)) : Number(found)
}

/** The Delta type of a ClickHouse type, where there is one; its own name otherwise. */
function deltaTypeOf(type: string): string {
  const inner = /^Nullable\((.*)\)$/.exec(type)?.[1] ?? type
  const names: Readonly<Record<string, string>> = {
    String: 'string',
    Int64: 'long',
    Int32: 'integer',
    Int16: 'short',
    Int8: 'byte',
    Float64: 'double',
    Float32: 'float',
    Bool: 'boolean',
    Date32: 'date',
  }
  if (inner.startsWith('DateTime64(6')) return 'timestamp'
  const decimal = /^Decimal\((\d+), (\d+)\)$/.exec(inner)
  if (decimal !== null) return `decimal(${decimal[1]},${decimal[2]})`
  return names[inner] ?? inner.replace(/\(.*/s, '').toLowerCase()
}

type Read = Extract<EngineJob, { readonly action: 'read' }>

async function read({ path, version: at, queries }: Read) {
  const more = at === undefined ? [] : [`delta_lake_snapshot_version = ${at}`]
  const using = ` SETTINGS ${[...settings, ...more].join(', ')}`
  const source = `deltaLakeLocal('${path}')`
  const described = await rowsOf(`DESCRIBE TABLE ${source}${using}`)
  const fields = described.map(([name, type]) => ({
    name: bytesOf(String(name)).toString('utf8'),
    type: deltaTypeOf(String(type)),
  }))
  const answers: string[][] = []
  for (const { sql, types } of queries) {
    const columns = types.map(
      (type, i): DeltaField => ({ name: `c${i}`, type, nullable: true, metadata: {} }),
    )
    const text = sql.replaceAll(/\bFROM t\b/g, `FROM ${source} AS t`) + using
    const rows = await rowsOf(text)
    answers.push(
      rows.map((row) =>
        canonicalRow(
          columns,
          types.map((type, i) => valueFrom(type, row[i] ?? null)),
        ),
      ),
    )
  }
  return { schema: { fields }, answers }
}

type Write = Extract<EngineJob, { readonly action: 'write' }>

/** Runs SQL statements; each adds a version. An empty one stands for the table's creation. */
async function write({ statements = [] }: Write) {
  for (const statement of statements) {
    if (statement !== '') await queryAsync(statement, { format: 'Null' })
  }
  return { versions: statements.map((_, index) => index) }
}

async function answerTo(job: EngineJob): Promise<object> {
  try {
    if (job.action === 'read') return await read(job)
    if (job.action === 'write') return await write(job)
    return { error: `chdb has no action ${job.action}` }
  } catch (error) {
    return { error: error instanceof Error ? error.message.slice(0, 2000) : String(error) }
  }
}

const out = createWriteStream('', { fd: 3 })
const say = (message: object) => out.write(`${JSON.stringify(message)}\n`)
say({ about: { chdb: version } })
const jobs = readFileSync(process.argv[2] ?? '', 'utf8')
  .trimEnd()
  .split('\n')
for (const line of jobs) {
  const job = JSON.parse(line) as EngineJob
  say({ id: job.id, ...(await answerTo(job)) })
}
out.end()
