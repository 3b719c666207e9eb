import type { DuckDBConnection } from '@duckdb/node-api'
import { type CompatibilityFigures, writeCompatibilityPage } from './delta/compatibility-page.ts'
import { missingEngines } from './delta/engine-jobs.ts'
import { hasFlag, numberFlag } from './delta/flags.ts'
import { chdbTables, deltalakeTables, sparkTables } from './delta/foreign-tables.ts'
import { writeByEngine } from './delta/foreign-writers.ts'
import {
  type Difference,
  judgeByEngine,
  judgeByUs,
  type WrittenStory,
  writeStories,
} from './delta/judge-our-tables.ts'
import { openDatabase } from './delta/our-engine.ts'
import { randomStory } from './delta/random-story.ts'
import { goOnWith } from './delta/shared-tables.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const engines = ['chdb', 'deltalake', 'spark'] as const

type Report = (line: string) => void

/** Where the tables lie and what was found so far. */
type Trial = {
  readonly connection: DuckDBConnection
  readonly folder: string
  readonly report: Report
  readonly figures: CompatibilityFigures
  readonly take: (differences: readonly Difference[]) => void
}

function versionCount(written: readonly WrittenStory[]): number {
  return written.reduce((sum, { versions }) => sum + new Set(versions).size + 1, 0)
}

/** Tables of ours, read by everybody at every version. */
async function judgeOurTables(trial: Trial, seed: number, tableCount: number): Promise<void> {
  const { connection, folder, report, figures, take } = trial
  const stories = Array.from({ length: tableCount }, (_, i) =>
    randomStory(seed + i, `table-${i}`, {
      kinds: ['append', 'overwrite', 'delete', 'upsert', 'add-column', 'compact'],
      partitionTypes: [
        { type: 'decimal', precision: 10, scale: 2 },
        'string',
        'date',
        'long',
        'integer',
        'short',
        'byte',
        'boolean',
        'timestamp',
      ],
      addsBeforePartitions: true,
    }),
  )
  const written = await writeStories(connection, stories, folder)
  report(`${written.length} tables written`)
  const ours = await judgeByUs(connection, written)
  take(ours.differences)
  for (const engine of engines) {
    const judged = await judgeByEngine(engine, written, folder, report)
    take(judged.differences)
    Object.assign(figures.about, judged.about)
    Object.assign(figures.limits, judged.limits)
    figures.readers.push({
      engine,
      tables: written.length,
      versions: versionCount(written),
      checks: judged.checks,
      differences: judged.differences.length,
    })
    report(`${engine}: ${judged.differences.length} differences`)
  }
}

/** Tables of theirs, read by us at every version; then written on by us, and read by Spark. */
async function judgeTheirTables(trial: Trial, seed: number, count: number): Promise<void> {
  const { connection, folder, report, figures, take } = trial
  const foreign = [
    ['spark', sparkTables(seed, Math.max(1, Math.round(count / 16)))],
    ['deltalake', deltalakeTables(seed, count)],
    ['chdb', chdbTables(seed, Math.round(count / 2))],
  ] as const
  for (const [engine, tables] of foreign) {
    const made = await writeByEngine(engine, tables, connection, folder)
    take(made.failures)
    const groups = Map.groupBy(made.written, ({ story }) => story.name.replace(/-\d+$/, ''))
    for (const [name, written] of groups) {
      const judged = await judgeByUs(connection, written)
      take(judged.differences)
      figures.writers.push({
        engine,
        feature: name.replace(/^[a-z]+-?/, '') || 'everyday operations',
        tables: written.length,
        versions: versionCount(written),
        differences: judged.differences.length,
      })
    }
    report(`${engine} wrote ${made.written.length} tables`)
    if (engine !== 'spark') continue
    const shared = await goOnWith(connection, made.written)
    take(shared.failures)
    Object.assign(figures.refusedWrites, shared.refused)
    const judged = await judgeByEngine('spark', shared.written, folder, report)
    take(judged.differences)
    figures.sharedTables += shared.written.length
    report(`spark read ${shared.written.length} of its tables that we wrote on`)
  }
}

export const promised: Promised = {
  id: 'C1',
  title: 'random tables read alike by chdb, deltalake, Spark and us, whoever wrote them',
  unit: 'differences',
  bar: '0 over 200 of our tables at every version in all three, and 0 in tables they write',
  quick: false,
  limitSeconds: 10_800,
  run: async (report) => {
    const missing = missingEngines(engines)
    if (missing.length > 0) {
      const error = `not installed: ${missing.join(', ')}; npm run setup:referees`
      return { ok: false, value: 0, detail: { error } }
    }
    const seed = numberFlag('seed', 20_261_121)
    const tableCount = numberFlag('tables', 200)
    const foreignCount = numberFlag('foreign', 40)
    report(`seed ${seed}, ${tableCount} tables of ours, about ${foreignCount} of each engine`)
    const scratch = temporaryFolder('c1')
    const { connection, close } = await openDatabase()
    const differences: Difference[] = []
    const figures: CompatibilityFigures = {
      seed,
      about: {},
      limits: {},
      readers: [],
      writers: [],
      refusedWrites: {},
      sharedTables: 0,
    }
    const take = (found: readonly Difference[]) => {
      differences.push(...found)
      for (const one of found.slice(0, 5)) report(JSON.stringify(one))
    }
    try {
      const trial = { connection, folder: scratch.path, report, figures, take }
      await judgeOurTables(trial, seed, tableCount)
      await judgeTheirTables(trial, seed, foreignCount)
      if (hasFlag('page')) report(`written: ${writeCompatibilityPage(figures)}`)
      const value = differences.length
      return { ok: value === 0, value, detail: { ...figures, first: differences.slice(0, 5) } }
    } finally {
      close()
      scratch.remove()
    }
  },
}
