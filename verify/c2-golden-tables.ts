import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { DeltaError, folderStore, openTable, readErrorOf, relationSql, rows } from '@isotherm/delta'
import { canonicalRows } from './delta/duckdb-values.ts'
import {
  contentHash,
  type GoldenReading,
  type GoldenRecord,
  goldenFolder,
  goldenRecordFile,
  goldenTables,
} from './delta/golden-corpus.ts'
import { openDatabase } from './delta/our-engine.ts'
import { schemaText } from './delta/table-schema.ts'
import type { Promised } from './promise.ts'

const longestMs = 30_000

/** What this library makes of a table: by SQL over the relation and by the stream of rows. */
async function ourReading(connection: DuckDBConnection, name: string): Promise<GoldenReading> {
  try {
    const table = await openTable(folderStore(join(goldenFolder, name)))
    const snapshot = await table.snapshot()
    const { schema } = snapshot
    let streamed = 0
    for await (const batch of rows(table, { snapshot, connection })) streamed += batch.rowCount
    const relation = relationSql(table, snapshot)
    const origin = { table, snapshot, files: snapshot.files }
    const texts = await canonicalRows(connection, relation, schema.fields).catch(async (cause) => {
      throw await readErrorOf(cause, origin, connection)
    })
    if (streamed !== texts.length) {
      throw new Error(`the stream has ${streamed} rows, the relation ${texts.length}`)
    }
    return {
      kind: 'read',
      schema: schemaText(schema.fields),
      rowCount: texts.length,
      hash: contentHash(texts),
    }
  } catch (cause) {
    if (!(cause instanceof DeltaError)) throw cause
    return { kind: 'refused', reason: `${cause.code}: ${cause.message}` }
  }
}

async function inTime<T>(task: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`hangs for ${longestMs} ms`)), longestMs)
  try {
    return await Promise.race([task, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Why our reading is not what Spark, or where it has none the kernel of delta-rs, read. */
function difference(ours: GoldenReading, theirs: GoldenReading | undefined): string | undefined {
  if (theirs === undefined) return 'nobody recorded it: run verify/delta/record-golden.ts'
  if (theirs.kind === 'refused') {
    if (ours.kind === 'refused') return undefined
    return `read with ${ours.rowCount} rows, though refused elsewhere: ${theirs.reason}`
  }
  if (ours.kind === 'refused') return `${ours.reason} (elsewhere ${theirs.rowCount} rows)`
  const parts = [
    ['rows', ours.rowCount, theirs.rowCount],
    ['schema', ours.schema, theirs.schema],
    ['content', ours.hash, theirs.hash],
  ] as const
  const wrong = parts.find(([, found, expected]) => found !== expected)
  return wrong && `${wrong[0]} ${wrong[1]}, expected ${wrong[2]}`
}

export const promised: Promised = {
  id: 'C2',
  title: 'golden tables are read as Spark read them, or refused with the cause',
  unit: 'tables that differ',
  bar: '0 of all in data/delta-golden; no crash, no hang',
  quick: goldenTables().length > 0,
  limitSeconds: 600,
  run: async (report) => {
    const names = goldenTables()
    if (names.length === 0) {
      return { ok: false, value: 0, detail: { error: `no golden tables in ${goldenFolder}` } }
    }
    const record = JSON.parse(readFileSync(goldenRecordFile, 'utf8')) as GoldenRecord
    const { connection, close } = await openDatabase()
    const differing: Record<string, string> = {}
    const refused: Record<string, string> = {}
    try {
      for (const name of names) {
        try {
          const ours = await inTime(ourReading(connection, name))
          const { spark, deltalake } = record.tables[name] ?? {}
          const wrong = difference(ours, spark ?? deltalake)
          if (wrong !== undefined) differing[name] = wrong
          else if (ours.kind === 'refused') refused[name] = ours.reason.split(':')[0] ?? ''
        } catch (cause) {
          differing[name] = `crashed: ${cause instanceof Error ? cause.message : String(cause)}`
        }
      }
    } finally {
      close()
    }
    const value = Object.keys(differing).length
    report(`${names.length} tables, ${Object.keys(refused).length} rightly refused`)
    for (const [name, what] of Object.entries(differing)) report(`${name}: ${what}`)
    return {
      ok: value === 0,
      value,
      detail: { tables: names.length, recordedBy: record.about, refused, differing },
    }
  },
}
