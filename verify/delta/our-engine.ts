import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import {
  append,
  compact,
  createTable,
  type DeltaTable,
  deleteWhere,
  folderStore,
  openTable,
  overwrite,
  type Predicate,
  type RowSource,
  relationSql,
  type Snapshot,
  systemHost,
  upsert,
} from '@isotherm/delta'
import { canonicalRows } from './duckdb-values.ts'
import type { Step, Story, Predicate as StoryPredicate } from './random-story.ts'
import { fitsJson, rowSource } from './row-sources.ts'
import { seededRandom } from './seeded-random.ts'
import { dateText, type Row } from './values.ts'

/** A database in memory whose texts of time are in UTC. */
export async function openDatabase(
  threads = 2,
): Promise<{ readonly connection: DuckDBConnection; readonly close: () => void }> {
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) })
  const connection = await instance.connect()
  await connection.run("SET TimeZone='UTC'")
  return {
    connection,
    close: () => {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** How a story is lived. */
export type StoryOptions = {
  /** When chapters happen, milliseconds since 1970; chapter -1 is the creation. Default: now. */
  readonly clock?: (chapter: number) => number
  /** Further properties of the table. */
  readonly properties?: Readonly<Record<string, string>>
}

/** Lives a story in a folder with this library. @returns the table's version after each chapter */
export async function writeStory(
  connection: DuckDBConnection,
  story: Story,
  folder: string,
  { clock, properties = {} }: StoryOptions = {},
): Promise<readonly number[]> {
  let nowMs = clock?.(-1) ?? 0
  const host = clock === undefined ? systemHost : { ...systemHost, nowMs: () => nowMs }
  const table = await createTable(
    folderStore(folder),
    {
      name: story.name,
      schema: { type: 'struct', fields: story.fields },
      partitionColumns: story.partitionColumns,
      configuration: { 'delta.checkpointInterval': String(2 + (story.seed % 4)), ...properties },
    },
    { host },
  )
  return await liveOn(connection, table, story, 0, (chapter) => {
    nowMs = clock?.(chapter) ?? 0
  })
}

/** Lives the chapters of a story from `first` on. @returns the table's version after each */
export async function liveOn(
  connection: DuckDBConnection,
  table: DeltaTable,
  story: Story,
  first: number,
  onChapter: (chapter: number) => void = () => undefined,
): Promise<readonly number[]> {
  const random = seededRandom(story.seed + first)
  const versions: number[] = []
  for (const [index, { step, fields }] of story.chapters.entries()) {
    if (index < first) continue
    onChapter(index)
    const isJson = fields.every(({ type }) => fitsJson(type))
    const form = random.pick(['query', 'rows', 'columns', isJson ? 'ndjson' : 'query'] as const)
    const outcome = await takeStep(table, step, fields, (rows) =>
      rowSource(form, connection, fields, rows),
    )
    if (outcome === 'conflict') throw new Error(`${step.kind} met a conflict without a rival`)
    versions.push((await table.snapshot()).version)
  }
  return versions

  async function takeStep(
    table: DeltaTable,
    step: Step,
    fields: Story['fields'],
    source: (rows: readonly Row[]) => RowSource,
  ): Promise<string> {
    switch (step.kind) {
      case 'append':
        return (await append(table, source(step.rows))).kind
      case 'overwrite':
        return (await overwrite(table, source(step.rows))).kind
      case 'delete':
        return (await deleteWhere(table, ourPredicate(fields, step.predicate))).kind
      case 'upsert':
        return (await upsert(table, source(step.rows), { keys: [fields[0]?.name ?? ''] })).kind
      case 'add-column':
        return (await table.addColumns([step.field])).kind
      case 'compact':
        return (await compact(table, { connection })).kind
      default:
        throw new Error(`this library has no step ${step.kind}`)
    }
  }
}

function ourPredicate(
  fields: Story['fields'],
  { column, operator, value }: StoryPredicate,
): Predicate {
  const { name, type } = fields[column] ?? { name: '', type: 'void' as const }
  if (operator === 'is null') return { column: name, isNull: true }
  const given = type === 'date' ? dateText(value as bigint) : (value as bigint | string)
  return { column: name, is: operator, value: given }
}

/** What this library reads of a table at a version. */
export async function readTable(
  connection: DuckDBConnection,
  folder: string,
  version: number,
): Promise<{ readonly snapshot: Snapshot; readonly rows: readonly string[] }> {
  const table = await openTable(folderStore(folder))
  const snapshot = await table.snapshot({ version })
  const relation = relationSql(table, snapshot)
  return { snapshot, rows: await canonicalRows(connection, relation, snapshot.schema.fields) }
}
