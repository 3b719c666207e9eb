import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { createTable, type DeltaType, folderStore } from '@isotherm/delta'
import { rowsQuery } from './duckdb-values.ts'
import type { Engine, EngineJob } from './engine-jobs.ts'
import { runEngine } from './engine-jobs.ts'
import type { Difference, WrittenStory } from './judge-our-tables.ts'
import { predicateSql } from './questions.ts'
import type { Chapter, Story } from './random-story.ts'
import { typeText } from './table-schema.ts'

/** How Spark is to write a table: properties of the table and settings of the session. */
export type Flavour = {
  readonly properties: Readonly<Record<string, string>>
  readonly settings?: Readonly<Record<string, string>>
  /** Cluster by the first column in place of partitions. */
  readonly isClustered?: boolean
}

type Files = (rows: Story['chapters'][number], index: number) => Promise<string>

/** Writes the rows of chapters as plain Parquet files that every engine can take. */
function rowFiles(connection: DuckDBConnection, story: Story, folder: string): Files {
  mkdirSync(folder, { recursive: true })
  return async ({ step, fields }, index) => {
    if (!('rows' in step)) throw new Error(`${step.kind} has no rows`)
    const file = join(folder, `${story.name}-${index}.parquet`)
    await connection.run(`COPY (${rowsQuery(fields, step.rows)}) TO '${file}' (FORMAT parquet)`)
    return file
  }
}

/** SQL statements with which Spark lives a story, creation first. */
async function sparkStatements(
  story: Story,
  path: string,
  flavour: Flavour,
  fileOf: Files,
): Promise<readonly string[]> {
  const table = `delta.\`${path}\``
  const columns = story.fields.map(({ name, type }) => `\`${name}\` ${sparkType(type)}`).join(', ')
  const partitions = story.partitionColumns.map((name) => `\`${name}\``).join(', ')
  const layout = flavour.isClustered
    ? ` CLUSTER BY (\`${story.fields[0]?.name}\`)`
    : partitions === ''
      ? ''
      : ` PARTITIONED BY (${partitions})`
  const properties = Object.entries(flavour.properties)
    .map(([key, value]) => `'${key}' = '${value}'`)
    .join(', ')
  const settings = properties === '' ? '' : ` TBLPROPERTIES (${properties})`
  const statements = [`CREATE TABLE ${table} (${columns}) USING delta${layout}${settings}`]
  for (const [index, chapter] of story.chapters.entries()) {
    const before = story.chapters[index - 1]?.fields ?? story.fields
    statements.push(await sparkStatement(table, chapter, before, () => fileOf(chapter, index)))
  }
  return statements
}

async function sparkStatement(
  table: string,
  { step, fields }: Chapter,
  before: Chapter['fields'],
  file: () => Promise<string>,
): Promise<string> {
  const names = fields.map(({ name }) => `\`${name}\``).join(', ')
  const rows = async () => `SELECT ${names} FROM parquet.\`${await file()}\``
  switch (step.kind) {
    case 'append':
      return `INSERT INTO ${table} (${names}) ${await rows()}`
    case 'overwrite':
      return `INSERT OVERWRITE ${table} (${names}) ${await rows()}`
    case 'delete':
      return `DELETE FROM ${table} WHERE ${predicateSql('spark', fields, step.predicate)}`
    case 'upsert': {
      const key = `\`${fields[0]?.name}\``
      return (
        `MERGE INTO ${table} AS t USING (${await rows()}) AS s ON t.${key} = s.${key}` +
        ' WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *'
      )
    }
    case 'add-column':
      return `ALTER TABLE ${table} ADD COLUMNS (\`${step.field.name}\` ${sparkType(step.field.type)})`
    case 'rename-column':
      return `ALTER TABLE ${table} RENAME COLUMN \`${before[step.column]?.name}\` TO \`${step.name}\``
    case 'drop-column':
      return `ALTER TABLE ${table} DROP COLUMN \`${before[step.column]?.name}\``
    case 'widen':
      return `ALTER TABLE ${table} ALTER COLUMN \`${fields[step.column]?.name}\` TYPE ${sparkType(step.type)}`
    case 'compact':
      return `OPTIMIZE ${table}`
    case 'checkpoint':
      return 'CHECKPOINT'
  }
}

function sparkType(type: DeltaType): string {
  if (typeof type === 'string' || type.type === 'decimal') return typeText(type)
  if (type.type === 'array') return `array<${sparkType(type.elementType)}>`
  if (type.type === 'map') return `map<${sparkType(type.keyType)}, ${sparkType(type.valueType)}>`
  return `struct<${type.fields.map((one) => `${one.name}: ${sparkType(one.type)}`).join(', ')}>`
}

/** Steps with which deltalake lives a story, creation first. */
async function deltalakeSteps(
  story: Story,
  fileOf: Files,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const schema = { type: 'struct', fields: story.fields.map((one) => deltaJson(one)) }
  const steps: Readonly<Record<string, unknown>>[] = [
    { kind: 'create', schema, partitionColumns: story.partitionColumns },
  ]
  for (const [index, chapter] of story.chapters.entries()) {
    const { step, fields } = chapter
    if ('rows' in step) {
      const file = await fileOf(chapter, index)
      steps.push({ kind: step.kind, file, key: fields[0]?.name })
    } else if (step.kind === 'delete') {
      const predicate = predicateSql('datafusion', fields, step.predicate)
      steps.push({ kind: step.kind, predicate })
    } else if (step.kind === 'add-column') {
      steps.push({ kind: step.kind, schema: { type: 'struct', fields: [deltaJson(step.field)] } })
    } else steps.push({ kind: step.kind })
  }
  return steps
}

/** Decimals are text in the JSON of a schema. */
function deltaJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(deltaJson)
  if (typeof value !== 'object' || value === null) return value
  const form = value as Readonly<Record<string, unknown>>
  if (form.type === 'decimal') return `decimal(${form.precision},${form.scale})`
  return Object.fromEntries(Object.entries(form).map(([key, part]) => [key, deltaJson(part)]))
}

/** Stories that an engine wrote, and those it could not. */
export type ForeignTables = {
  readonly written: readonly WrittenStory[]
  readonly failures: readonly Difference[]
}

/** Has an engine write stories, each below `folder`. Flavours matter to Spark alone. */
export async function writeByEngine(
  engine: Engine,
  tables: readonly { readonly story: Story; readonly flavour: Flavour }[],
  connection: DuckDBConnection,
  folder: string,
): Promise<ForeignTables> {
  const jobs: EngineJob[] = []
  const storyOf = new Map<string, Story>()
  const pathOf = (story: Story) => join(folder, story.name)
  for (const { story, flavour } of tables) {
    const fileOf = rowFiles(connection, story, join(folder, 'rows'))
    const job = { id: story.name, action: 'write', path: pathOf(story) } as const
    storyOf.set(story.name, story)
    if (engine === 'spark') {
      const statements = await sparkStatements(story, job.path, flavour, fileOf)
      jobs.push({ ...job, statements, settings: flavour.settings ?? {} })
    } else if (engine === 'deltalake') {
      jobs.push({ ...job, steps: await deltalakeSteps(story, fileOf) })
    } else {
      await createForAppends(story, job.path)
      jobs.push({ ...job, statements: await chdbStatements(story, job.path, fileOf) })
    }
  }
  const written: WrittenStory[] = []
  const failures: Difference[] = []
  await runEngine(engine, jobs, folder, ({ id, error, versions = [] }) => {
    const story = storyOf.get(id)
    if (story === undefined) throw new Error(`${engine} answered ${id}, never asked`)
    if (error === undefined) {
      written.push({ story, path: pathOf(story), versions: versions.slice(1) })
      return
    }
    const about = { table: id, seed: story.seed, version: -1, reader: `${engine} as writer` }
    failures.push({ ...about, topic: 'writing', expected: 'a table', found: error })
  })
  return { written, failures }
}

/** chdb appends to tables and creates none, so this library does. */
async function createForAppends(story: Story, path: string): Promise<void> {
  await createTable(folderStore(path), {
    name: story.name,
    schema: { type: 'struct', fields: story.fields },
    partitionColumns: story.partitionColumns,
  })
}

async function chdbStatements(
  story: Story,
  path: string,
  fileOf: Files,
): Promise<readonly string[]> {
  const statements: string[] = ['']
  for (const [index, chapter] of story.chapters.entries()) {
    const file = await fileOf(chapter, index)
    statements.push(
      `INSERT INTO FUNCTION deltaLakeLocal('${path}') SELECT * FROM file('${file}', 'Parquet')` +
        " SETTINGS allow_experimental_delta_lake_writes = 1, session_timezone = 'UTC'",
    )
  }
  return statements
}
