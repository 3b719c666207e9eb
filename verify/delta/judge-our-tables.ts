import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { DeltaField } from '@isotherm/delta'
import type { Engine, EngineAnswer, EngineJob } from './engine-jobs.ts'
import { runEngine } from './engine-jobs.ts'
import { asClickHouseReads, clickHouseLimits } from './known-limits.ts'
import { readTable, writeStory } from './our-engine.ts'
import { type Dialect, type Question, questionsAbout } from './questions.ts'
import { type Chapter, isComparable, randomPredicate, type Story } from './random-story.ts'
import { seededRandom } from './seeded-random.ts'
import { clickHouseSchemaText, schemaText } from './table-schema.ts'
import { compareUtf8 } from './values.ts'

/** Something that a reader saw otherwise than it was written. */
export type Difference = {
  readonly table: string
  readonly seed: number
  readonly version: number
  readonly reader: string
  readonly topic: string
  readonly expected: string
  readonly found: string
}

/** What came of the readers' work. */
export type Judgement = {
  readonly checks: number
  readonly differences: readonly Difference[]
  /** Versions of the programs that judged. */
  readonly about: Readonly<Record<string, string>>
  /** How often a known limit of a reader changed what it was asked, by its reason. */
  readonly limits: Readonly<Record<string, number>>
}

const dialects: Readonly<Record<Engine, Dialect>> = {
  chdb: 'clickhouse',
  deltalake: 'datafusion',
  spark: 'spark',
}

/** A story that was written, with its table's version after each chapter. */
export type WrittenStory = {
  readonly story: Story
  readonly path: string
  readonly versions: readonly number[]
  /** The oldest version that can still be read. Default 0. */
  readonly oldest?: number
}

/** Writes stories with this library, one folder each. */
export async function writeStories(
  connection: DuckDBConnection,
  stories: readonly Story[],
  folder: string,
): Promise<readonly WrittenStory[]> {
  const written: WrittenStory[] = []
  for (const story of stories) {
    const path = join(folder, story.name)
    written.push({ story, path, versions: await writeStory(connection, story, path) })
  }
  return written
}

/** Versions of a story's table with the chapter that each shows: the newest where several do. */
function chaptersByVersion(written: WrittenStory): ReadonlyMap<number, Chapter> {
  const { story, versions, oldest = 0 } = written
  const empty: Chapter = { step: { kind: 'compact' }, fields: story.fields, rows: [] }
  const chapters = new Map([
    [0, empty],
    ...story.chapters.map((chapter, i) => [versions[i] ?? 0, chapter] as const),
  ])
  return new Map([...chapters].filter(([version]) => version >= oldest))
}

/** First place where two sorted lists part. */
export function firstDifference(
  expected: readonly string[],
  found: readonly string[],
): { readonly expected: string; readonly found: string } | undefined {
  const end = Math.max(expected.length, found.length)
  for (let i = 0; i < end; i++) {
    if (expected[i] === found[i]) continue
    return {
      expected: `${expected.length} rows; ${expected[i] ?? 'no more'}`.slice(0, 600),
      found: `${found.length} rows; ${found[i] ?? 'no more'}`.slice(0, 600),
    }
  }
  return undefined
}

/** Reads every version with this library. */
export async function judgeByUs(
  connection: DuckDBConnection,
  written: readonly WrittenStory[],
): Promise<Pick<Judgement, 'checks' | 'differences'>> {
  const differences: Difference[] = []
  let checks = 0
  for (const one of written) {
    const { story, path } = one
    for (const [version, chapter] of chaptersByVersion(one)) {
      const at = { table: story.name, seed: story.seed, version, reader: 'this library' }
      try {
        const { snapshot, rows } = await readTable(connection, path, version)
        const [question] = questionsAbout(chapter, [])
        const found = rows.toSorted(compareUtf8)
        const pairs: readonly (readonly [string, readonly string[], readonly string[]])[] = [
          ['rows', question?.expected ?? [], found],
          ['schema', [schemaText(chapter.fields)], [schemaText(snapshot.schema.fields)]],
          ['partitions', story.partitionColumns, snapshot.partitionColumns],
        ]
        for (const [topic, expected, actual] of pairs) {
          checks += 1
          const difference = firstDifference(expected, actual)
          if (difference !== undefined) differences.push({ ...at, topic, ...difference })
        }
      } catch (error) {
        differences.push({ ...at, topic: 'reading', expected: 'rows', found: String(error) })
      }
    }
  }
  return { checks, differences }
}

type Asked = {
  readonly story: Story
  readonly version: number
  readonly chapter: Chapter
  readonly questions: readonly Question[]
}

/** Asks an engine for every version of every table, and compares its answers with the stories. */
export async function judgeByEngine(
  engine: Engine,
  written: readonly WrittenStory[],
  folder: string,
  report: (line: string) => void,
): Promise<Judgement> {
  const asked = new Map<string, Asked>()
  const jobs: EngineJob[] = []
  const limits: Record<string, number> = {}
  const note = (reason: string) => {
    limits[reason] = (limits[reason] ?? 0) + 1
  }
  for (const one of written) {
    const { story, path } = one
    const chapters = chaptersByVersion(one)
    const newest = Math.max(...chapters.keys())
    for (const [version, chapter] of chapters) {
      const questions = engineQuestions(engine, story, chapter, version === newest, note)
      const id = `${story.name} ${version}`
      asked.set(id, { story, version, chapter, questions })
      const queries = questions.map(({ sql, fields }) => ({
        sql: sql(dialects[engine]),
        types: fields.map(({ type }) => type),
      }))
      jobs.push({ id, action: 'read', path, version, queries, detail: version === newest })
    }
  }
  const differences: Difference[] = []
  let checks = 0
  let done = 0
  const startMs = Date.now()
  const about = await runEngine(engine, jobs, folder, (answer) => {
    const question = asked.get(answer.id)
    if (question === undefined) throw new Error(`${engine} answered ${answer.id}, never asked`)
    const found = compareAnswer(engine, question, answer)
    checks += found.checks
    differences.push(...found.differences)
    done += 1
    if (done % 100 === 0) {
      const seconds = Math.round((Date.now() - startMs) / 1000)
      report(`${engine}: ${done} of ${jobs.length} versions read, ${seconds} s`)
    }
  })
  return { checks, differences, about, limits }
}

function engineQuestions(
  engine: Engine,
  story: Story,
  chapter: Chapter,
  isNewest: boolean,
  note: (reason: string) => void,
): readonly Question[] {
  const random = seededRandom(story.seed + chapter.rows.length)
  const predicates = isNewest
    ? Array.from({ length: 3 }, () => randomPredicate(random, chapter)).filter(
        (one) => one !== undefined && isComparable(chapter.fields[one.column]?.type ?? 'void'),
      )
    : []
  const asked = predicates.filter((one) => one !== undefined)
  if (engine !== 'chdb') return questionsAbout(chapter, asked)
  const { fields } = chapter
  for (const reason of clickHouseLimits(fields, chapter.rows)) note(reason)
  const rows = chapter.rows.map((row) => asClickHouseReads(fields, row))
  return questionsAbout({ fields, rows }, asked)
}

function compareAnswer(
  engine: Engine,
  { story, version, chapter, questions }: Asked,
  answer: EngineAnswer,
): { readonly checks: number; readonly differences: readonly Difference[] } {
  const at = { table: story.name, seed: story.seed, version, reader: engine }
  if (answer.error !== undefined) {
    const difference = { ...at, topic: 'reading', expected: 'an answer', found: answer.error }
    return { checks: 1, differences: [difference] }
  }
  const textOf = engine === 'chdb' ? clickHouseSchemaText : schemaText
  const found = answer.schema?.fields ?? []
  const pairs: (readonly [string, readonly string[], readonly string[]])[] = questions.map(
    ({ topic, expected }, i) => [
      topic,
      expected,
      (answer.answers?.[i] ?? []).toSorted(compareUtf8),
    ],
  )
  const foundText = engine === 'chdb' ? plainSchemaText(found) : schemaText(found)
  pairs.push(['schema', [textOf(chapter.fields)], [foundText]])
  if (answer.partitionColumns !== undefined) {
    pairs.push(['partitions', story.partitionColumns, answer.partitionColumns])
  }
  const differences = pairs.flatMap(([topic, expected, actual]) => {
    const difference = firstDifference(expected, actual)
    return difference === undefined ? [] : [{ ...at, topic, ...difference }]
  })
  return { checks: pairs.length, differences }
}

/** chdb-engine.ts tells types as plain names. */
function plainSchemaText(fields: readonly DeltaField[]): string {
  return fields.map(({ name, type }) => `${name} ${String(type)}`).join(', ')
}
