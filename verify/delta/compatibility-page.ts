import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type GoldenRecord, goldenRecordFile } from './golden-corpus.ts'

/** What a run of C1 counted. */
export type CompatibilityFigures = {
  readonly seed: number
  readonly about: Record<string, string>
  /** How often a limit of a reader changed what it was asked. */
  readonly limits: Record<string, number>
  readonly readers: {
    readonly engine: string
    readonly tables: number
    readonly versions: number
    readonly checks: number
    readonly differences: number
  }[]
  readonly writers: {
    readonly engine: string
    readonly feature: string
    readonly tables: number
    readonly versions: number
    readonly differences: number
  }[]
  /** Why this library would not go on with tables of Spark's. */
  readonly refusedWrites: Record<string, string>
  sharedTables: number
}

const pageFile = join(import.meta.dirname, '..', '..', 'delta', 'docs', 'compatibility.md')

/** Limits of the referees that no run can count: they shape the tables they are asked to write. */
const standingLimits = [
  'chdb writes text inside lists, maps and structs without marking it as text. This library decodes it, except in a scan that also asks for a `binary` column; so tables that chdb appends to have none here.',
  'chdb writes partition values into paths as they are and loses texts with `/`, `"` or `%`, so the tables that it appends to have no partition columns of text.',
  'Spark names folders after partition values and cannot hold U+0000 there, so its own tables have none.',
  'chdb appends to tables and does nothing else; it cannot append a null partition value, nor a null list or map.',
  'chdb shows `string` and `binary` as one type, and both kinds of `timestamp` as one; its times reach from 1900 to 2299, and so do the times in these tables.',
  'chdb does not say which columns are partition columns; their values are compared as columns.',
  'deltalake writes negative decimals among partition values in a form that nothing can read (`-1.-25`), so its tables have no decimal partition columns.',
  'deltalake writes neither deletion vectors nor column mapping; Spark does.',
  'Spark names partition columns for the newest version only.',
]

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function goldenText(): string {
  const record = JSON.parse(readFileSync(goldenRecordFile, 'utf8')) as GoldenRecord
  const all = Object.values(record.tables).map(({ spark }) => spark?.kind)
  const read = all.filter((kind) => kind === 'read').length
  const { about } = record
  return (
    `The corpus of golden tables of delta-io/delta: ${all.length} tables, of which Spark ` +
    `${about.pyspark} reads ${read}. \`npm run verify -- C2\` compares schema and every row of ` +
    `those with what Spark and deltalake ${about.deltalake} read; the other ` +
    `${all.length - read} are broken on purpose, and refused by name.`
  )
}

/** Writes the page of a run. @returns its file */
export function writeCompatibilityPage(figures: CompatibilityFigures): string {
  const { about, readers, writers, limits, refusedWrites } = figures
  const names: Readonly<Record<string, string>> = {
    chdb: `chdb ${about.chdb} (ClickHouse with the Rust kernel)`,
    deltalake: `deltalake ${about.deltalake} (delta-rs)`,
    spark: `Spark ${about.pyspark} with Delta ${about['delta-spark']}`,
  }
  const counted = Object.entries(limits).map(([reason, n]) => `${reason} (${n} versions).`)
  const refused = Map.groupBy(Object.entries(refusedWrites), ([, reason]) => reason)
  const page = [
    '# Compatibility',
    '',
    `Written by \`npm run verify -- C1 --page\` (seed ${figures.seed}); do not edit. Tables are made at`,
    'random: all types, nested ones too, partitions, nulls, NaN, odd texts; appended to, overwritten,',
    'deleted from, upserted, compacted, given columns. What every engine must answer is worked out by',
    'a model that shares no code with any of them: rows, counts, sums, extremes, filters, schema and',
    'partition columns, at every version.',
    '',
    '## What others read of ours',
    '',
    table(
      ['reader', 'tables', 'versions', 'answers', 'differences'],
      readers.map((one) => [
        names[one.engine] ?? one.engine,
        one.tables,
        one.versions,
        one.checks,
        one.differences,
      ]),
    ),
    '',
    '## What we read of theirs',
    '',
    table(
      ['writer', 'feature', 'tables', 'versions', 'differences'],
      writers.map((one) => [one.engine, one.feature, one.tables, one.versions, one.differences]),
    ),
    '',
    '## Tables written by turns',
    '',
    `Spark read ${figures.sharedTables} of its tables after this library had gone on with them.`,
    'With the others this library refused to go on, and said why:',
    '',
    ...[...refused].map(
      ([reason, tables]) => `- ${reason}: ${tables.map(([name]) => name).join(', ')}`,
    ),
    '',
    '## Golden tables',
    '',
    goldenText(),
    '',
    '## Known limits of the referees',
    '',
    ...[...counted, ...standingLimits].map((line) => `- ${line}`),
    '',
  ]
  writeFileSync(pageFile, page.join('\n'))
  return pageFile
}
