import type { DeltaField, DeltaType } from '@isotherm/delta'
import type { Flavour } from './foreign-writers.ts'
import { asClickHouseReads } from './known-limits.ts'
import { randomStory, type Step, type Story, type StoryRules } from './random-story.ts'
import type { Row } from './values.ts'

const decimal = (precision: number, scale: number) =>
  ({ type: 'decimal', precision, scale }) as const

const everyday: readonly Step['kind'][] = [
  ...(['append', 'overwrite', 'delete', 'upsert', 'add-column', 'compact', 'checkpoint'] as const),
]
const partitionTypes: readonly DeltaType[] = [
  ...(['string', 'date', 'long', 'integer', 'boolean', 'timestamp'] as const),
  decimal(10, 2),
]

/** Tables that Spark writes: each name stands for features of the protocol. */
export const sparkFlavours: Readonly<
  Record<string, Flavour & { readonly kinds?: readonly Step['kind'][] }>
> = {
  plain: { properties: { 'delta.checkpointInterval': '3' } },
  'deletion-vectors': { properties: { 'delta.enableDeletionVectors': 'true' } },
  'column-mapping-name': {
    properties: { 'delta.columnMapping.mode': 'name', 'delta.checkpointInterval': '2' },
    kinds: ['rename-column', 'drop-column'],
  },
  'column-mapping-id': {
    properties: { 'delta.columnMapping.mode': 'id', 'delta.checkpointInterval': '4' },
    kinds: ['rename-column', 'drop-column'],
  },
  'v2-checkpoint-parquet': {
    properties: { 'delta.checkpointPolicy': 'v2', 'delta.checkpointInterval': '2' },
    settings: { 'spark.databricks.delta.checkpointV2.topLevelFileFormat': 'parquet' },
  },
  'v2-checkpoint-json': {
    properties: { 'delta.checkpointPolicy': 'v2', 'delta.checkpointInterval': '2' },
    settings: { 'spark.databricks.delta.checkpointV2.topLevelFileFormat': 'json' },
  },
  'multi-part-checkpoint': {
    properties: { 'delta.checkpointInterval': '2' },
    settings: { 'spark.databricks.delta.checkpoint.partSize': '3' },
  },
  'struct-statistics': {
    properties: {
      'delta.checkpoint.writeStatsAsJson': 'false',
      'delta.checkpoint.writeStatsAsStruct': 'true',
      'delta.checkpointInterval': '2',
    },
  },
  'in-commit-timestamps': { properties: { 'delta.enableInCommitTimestamps': 'true' } },
  'type-widening': { properties: { 'delta.enableTypeWidening': 'true' }, kinds: ['widen'] },
  'change-data-feed': { properties: { 'delta.enableChangeDataFeed': 'true' } },
  'row-tracking': { properties: { 'delta.enableRowTracking': 'true' } },
  clustering: { properties: {}, isClustered: true },
  'timestamp-ntz': { properties: { 'delta.feature.timestampNtz': 'supported' } },
  int96: { properties: {}, settings: { 'spark.sql.parquet.outputTimestampType': 'INT96' } },
  everything: {
    properties: {
      'delta.columnMapping.mode': 'name',
      'delta.enableDeletionVectors': 'true',
      'delta.enableInCommitTimestamps': 'true',
      'delta.enableTypeWidening': 'true',
      'delta.enableRowTracking': 'true',
      'delta.checkpointPolicy': 'v2',
      'delta.checkpointInterval': '2',
    },
    kinds: ['rename-column', 'drop-column', 'widen'],
  },
}

/** Clustering needs a first column that can be compared. */
function rulesOf(name: string, kinds: readonly Step['kind'][] = []): StoryRules {
  // Spark names folders after partition values, and no folder name can hold U+0000.
  const rules = {
    kinds: [...everyday, ...kinds],
    partitionTypes,
    chapterCount: 7,
    plainPartitions: true,
  }
  if (name === 'timestamp-ntz') return { ...rules, replaceType: { timestamp: 'timestamp_ntz' } }
  if (name === 'clustering') return { ...rules, partitionTypes: [], isAlwaysKeyed: true }
  return rules
}

/** `count` stories of each of Spark's flavours. */
export function sparkTables(
  seed: number,
  count: number,
): readonly { readonly story: Story; readonly flavour: Flavour }[] {
  return Object.entries(sparkFlavours).flatMap(([name, flavour], i) =>
    Array.from({ length: count }, (_, n) => ({
      flavour,
      story: randomStory(seed + 1000 * i + n, `spark-${name}-${n}`, rulesOf(name, flavour.kinds)),
    })),
  )
}

/** Stories for deltalake. */
export function deltalakeTables(
  seed: number,
  count: number,
): readonly { readonly story: Story; readonly flavour: Flavour }[] {
  // It writes negative decimals among partition values as `-1.-25`, which nothing can read.
  const plain = partitionTypes.filter((type) => typeof type === 'string')
  const rules: StoryRules = { kinds: everyday, partitionTypes: plain, chapterCount: 7 }
  return Array.from({ length: count }, (_, n) => ({
    flavour: { properties: {} },
    story: randomStory(seed + n, `deltalake-${n}`, rules),
  }))
}

/** Stories for chdb, which can only append, and holds no null list, map or partition value. */
export function chdbTables(
  seed: number,
  count: number,
): readonly { readonly story: Story; readonly flavour: Flavour }[] {
  const rules: StoryRules = {
    kinds: ['append'],
    // It writes texts into paths as they are, and loses those with a slash, a quote or a percent.
    partitionTypes: ['date', 'long'],
    // It does not mark text inside lists, maps and structs as text; beside bytes nobody can tell.
    replaceType: { binary: 'string' },
  }
  return Array.from({ length: count }, (_, n) => {
    const story = randomStory(seed + n, `chdb-${n}`, rules)
    const writable = (fields: readonly DeltaField[], row: Row): Row =>
      asClickHouseReads(fields, row).map((value, i) => {
        if (value !== null || !story.partitionColumns.includes(fields[i]?.name ?? '')) return value
        return 0n
      })
    const chapters = story.chapters.map(({ step, fields, rows }) => ({
      step:
        'rows' in step ? { ...step, rows: step.rows.map((row) => writable(fields, row)) } : step,
      fields,
      rows: rows.map((row) => writable(fields, row)),
    }))
    return { flavour: { properties: {} }, story: { ...story, chapters } }
  })
}
