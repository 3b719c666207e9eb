import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { extname } from 'node:path'
import {
  type DuckDBConnection,
  DuckDBMapType,
  DuckDBStructType,
  type DuckDBType,
} from '@duckdb/node-api'
import { IsothermError, quoteName } from '../contracts/index.ts'

/** A readable file with its columns; fields of nested objects are columns named `outer.inner`. */
export type SourceFile = {
  readonly path: string
  readonly relation: string
  readonly columns: readonly string[]
  /** SQL that reads a column. */
  readonly expressionOf: (column: string) => string
}

/** A text as an SQL literal. */
export const text = (value: string) => `'${value.replaceAll("'", "''")}'`

function relationOf(path: string): string {
  switch (extname(path.replace(/\.gz$/i, '')).toLowerCase()) {
    case '.csv':
    case '.tsv':
    case '.txt':
      return (
        `read_csv(${text(path)}, all_varchar = true, header = true, store_rejects = true, ` +
        'parallel = false, strict_mode = true)'
      )
    case '.ndjson':
    case '.jsonl':
      return `read_ndjson(${text(path)}, sample_size = -1)`
    case '.json':
      return `read_json(${text(path)}, sample_size = -1)`
    case '.parquet':
      return `read_parquet(${text(path)})`
    default:
      throw new IsothermError(
        'INPUT_INVALID',
        `${path}: the name does not say the format; expected .csv, .tsv, .txt, .ndjson, .jsonl, ` +
          '.json (all also with .gz) or .parquet',
      )
  }
}

const headBytes = 64 * 1024

/** What a first look at the bytes says against a text file, or undefined. */
function faultOfBytes(head: Uint8Array): string | undefined {
  if (head.length === 0) return 'is empty'
  const isUtf16 = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)
  if (isUtf16) return 'is UTF-16: convert it with iconv -f UTF-16 -t UTF-8'
  if (head.includes(0)) return 'is no text file'
  try {
    // The last character of the head may be cut.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true })
    return undefined
  } catch (cause) {
    if (cause instanceof TypeError) {
      return 'is not UTF-8: convert it, for example with iconv -f WINDOWS-1252 -t UTF-8'
    }
    throw cause
  }
}

function readHead(path: string): Uint8Array {
  const head = new Uint8Array(headBytes)
  const file = openSync(path, 'r')
  try {
    return head.subarray(0, readSync(file, head))
  } finally {
    closeSync(file)
  }
}

function faultOfFile(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return 'there is no such file; check the path'
  if (stats.isDirectory()) return 'is a folder; give one file at a time'
  if (!stats.isFile()) return 'is no file; give the path of one'
  const head = readHead(path)
  return /\.(gz|parquet)$/i.test(path) && head.length > 0 ? undefined : faultOfBytes(head)
}

/** First line of what an engine says against a file. */
export function reasonOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? ''
}

/** Names and expressions of a column and of everything inside it. */
function flattened(name: string, type: DuckDBType, expression: string): [string, string][] {
  if (type instanceof DuckDBStructType) {
    return type.entryNames.flatMap((entry, index) =>
      flattened(
        `${name}.${entry}`,
        type.entryTypes[index]!,
        `struct_extract(${expression}, ${text(entry)})`,
      ),
    )
  }
  return type instanceof DuckDBMapType ? [] : [[name, expression]]
}

/** Opens a CSV, NDJSON or Parquet file. @throws IsothermError INPUT_INVALID when it cannot be read */
export async function openSource(connection: DuckDBConnection, path: string): Promise<SourceFile> {
  const relation = relationOf(path)
  const fault = faultOfFile(path)
  if (fault !== undefined) throw new IsothermError('INPUT_INVALID', `${path}: ${fault}`)
  try {
    const described = await connection.runAndReadAll(`SELECT * FROM ${relation} LIMIT 0`)
    const types = described.columnTypes()
    const expressions = new Map(
      described
        .columnNames()
        .flatMap((name, index) => flattened(name, types[index]!, quoteName(name))),
    )
    return {
      path,
      relation,
      columns: [...expressions.keys()],
      expressionOf: (column) => expressions.get(column) ?? quoteName(column),
    }
  } catch (cause) {
    throw new IsothermError('INPUT_INVALID', `${path}: cannot be read: ${reasonOf(cause)}`, {
      cause,
    })
  }
}
