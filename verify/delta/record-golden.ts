// Has Spark and deltalake read the golden tables and records what they saw, for C2. Run it by hand
// when the corpus or an engine changes: node verify/delta/record-golden.ts
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DeltaField } from '@isotherm/delta'
import { temporaryFolder } from '../system.ts'
import { type Engine, type EngineJob, runEngine } from './engine-jobs.ts'
import {
  contentHash,
  type GoldenReading,
  goldenFolder,
  goldenRecordFile,
  goldenTables,
  parsedFields,
} from './golden-corpus.ts'
import { schemaText } from './table-schema.ts'

async function readings(engine: Engine, names: readonly string[], folder: string) {
  const fieldsOf = new Map<string, readonly DeltaField[]>()
  const found = new Map<string, GoldenReading>()
  const job = (name: string): EngineJob => ({
    id: name,
    action: 'read',
    path: join(goldenFolder, name),
    queries: [],
  })
  await runEngine(engine, names.map(job), folder, ({ id, error, schema }) => {
    if (schema !== undefined) fieldsOf.set(id, parsedFields(schema.fields))
    if (error !== undefined) found.set(id, { kind: 'refused', reason: reasonOf(error) })
  })
  const jobs = [...fieldsOf].map(([name, fields]): EngineJob => {
    const quote = engine === 'spark' ? '`' : '"'
    const columns = fields.map((field) => quote + field.name + quote)
    const sql = columns.length === 0 ? 'SELECT 1 FROM t' : `SELECT ${columns.join(', ')} FROM t`
    const types = fields.map(({ type }) => type)
    return {
      ...job(name),
      action: 'read',
      path: join(goldenFolder, name),
      queries: [{ sql, types }],
    }
  })
  const about = await runEngine(engine, jobs, folder, ({ id, error, answers }) => {
    const [rows] = answers ?? []
    if (rows === undefined) {
      found.set(id, { kind: 'refused', reason: reasonOf(error ?? 'no answer') })
      return
    }
    const schema = schemaText(fieldsOf.get(id) ?? [])
    found.set(id, { kind: 'read', schema, rowCount: rows.length, hash: contentHash(rows) })
  })
  return { about, found }
}

/** What an error says first, without what belongs to this machine alone. */
function reasonOf(error: string): string {
  const lines = error.split('\n').map((line) => line.trim())
  const isJava = /^Py4JJavaError/.test(lines[0] ?? '')
  const text = (isJava ? lines[1] : lines[0]) ?? ''
  return text.replace(/^: /, '').replaceAll(goldenFolder, 'corpus').slice(0, 160)
}

const names = goldenTables()
const folder = temporaryFolder('golden')
try {
  const about: Record<string, string> = {}
  const tables: Record<string, Record<string, GoldenReading>> = {}
  for (const engine of ['spark', 'deltalake'] as const) {
    const judged = await readings(engine, names, folder.path)
    Object.assign(about, judged.about)
    for (const [name, reading] of judged.found) {
      tables[name] = { ...tables[name], [engine]: reading }
    }
  }
  const sorted = Object.fromEntries(Object.entries(tables).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(goldenRecordFile, `${JSON.stringify({ about, tables: sorted }, null, 2)}\n`)
  console.log(`${names.length} tables recorded in ${goldenRecordFile}`)
} finally {
  folder.remove()
}
