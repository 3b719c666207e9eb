import { missingEngines } from './delta/engine-jobs.ts'
import { numberFlag } from './delta/flags.ts'
import { chdbTables, deltalakeTables, sparkTables } from './delta/foreign-tables.ts'
import { writeByEngine } from './delta/foreign-writers.ts'
import {
  type Difference,
  judgeByEngine,
  judgeByUs,
  writeStories,
} from './delta/judge-our-tables.ts'
import { openDatabase } from './delta/our-engine.ts'
import { randomStory } from './delta/random-story.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const engines = ['chdb', 'deltalake', 'spark'] as const

export const promised: Promised = {
  id: 'C1',
  title: 'random tables read alike by chdb, deltalake, Spark and us, whoever wrote them',
  unit: 'differences',
  bar: '0 over 200 of our tables at every version in all three, and 0 in tables they write',
  quick: false,
  limitSeconds: 7200,
  run: async (report) => {
    const missing = missingEngines(engines)
    if (missing.length > 0) {
      const error = `not installed: ${missing.join(', ')}; npm run setup:referees`
      return { ok: false, value: 0, detail: { error } }
    }
    const seed = numberFlag('seed', 20_261_121)
    const tableCount = numberFlag('tables', 200)
    report(`seed ${seed}, ${tableCount} tables of ours`)
    const folder = temporaryFolder('c1')
    const { connection, close } = await openDatabase()
    try {
      const stories = Array.from({ length: tableCount }, (_, i) =>
        randomStory(seed + i, `table-${i}`, {
          kinds: ['append', 'overwrite', 'delete', 'upsert', 'add-column', 'compact'],
          partitionTypes: ['string', 'date', 'long', 'integer'],
          addsBeforePartitions: true,
        }),
      )
      const written = await writeStories(connection, stories, folder.path)
      report(`${written.length} tables written`)
      const ours = await judgeByUs(connection, written)
      const differences: Difference[] = [...ours.differences]
      let checks = ours.checks
      const about: Record<string, string> = {}
      const limits: Record<string, number> = {}
      for (const engine of engines) {
        const judged = await judgeByEngine(engine, written, folder.path, report)
        checks += judged.checks
        differences.push(...judged.differences)
        Object.assign(about, judged.about)
        Object.assign(limits, judged.limits)
        report(`${engine}: ${judged.differences.length} differences`)
        for (const one of judged.differences.slice(0, 5)) report(JSON.stringify(one))
      }
      const foreignCount = numberFlag('foreign', 40)
      const foreign = [
        ['spark', sparkTables(seed, Math.max(1, Math.round(foreignCount / 16)))],
        ['deltalake', deltalakeTables(seed, foreignCount)],
        ['chdb', chdbTables(seed, Math.round(foreignCount / 2))],
      ] as const
      const counts: Record<string, number> = {}
      for (const [engine, tables] of foreign) {
        const made = await writeByEngine(engine, tables, connection, folder.path)
        const judged = await judgeByUs(connection, made.written)
        const found = [...made.failures, ...judged.differences]
        counts[engine] = made.written.length
        checks += judged.checks
        differences.push(...found)
        report(`${engine} wrote ${made.written.length} tables: ${found.length} differences`)
        for (const one of found.slice(0, 5)) report(JSON.stringify(one))
      }
      return {
        ok: differences.length === 0,
        value: differences.length,
        detail: {
          seed,
          tables: tableCount,
          foreign: counts,
          checks,
          about,
          limits,
          first: differences.slice(0, 5),
        },
      }
    } finally {
      close()
      folder.remove()
    }
  },
}
