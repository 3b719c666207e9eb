import { globSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { cleanLog, folderStore, openTable, systemHost, vacuum } from '@isotherm/delta'
import { type Engine, missingEngines } from './delta/engine-jobs.ts'
import { numberFlag } from './delta/flags.ts'
import {
  type Difference,
  judgeByEngine,
  judgeByUs,
  type WrittenStory,
} from './delta/judge-our-tables.ts'
import { naiveCommit, naiveVersions } from './delta/naive-log.ts'
import { openDatabase, writeStory } from './delta/our-engine.ts'
import { randomStory } from './delta/random-story.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const dayMs = 86_400_000
const startMs = Date.UTC(2026, 5, 1)
const storyDays = 40
const logDays = 10
const fileDays = 7
const referees: readonly Engine[] = ['chdb', 'deltalake']

function dataFiles(folder: string): readonly string[] {
  return globSync('**/*.parquet', { cwd: folder })
    .filter((path) => !path.startsWith('_delta_log'))
    .toSorted()
}

/** Gives each data file the age of its commit, and adds files that no commit knows, old and young. */
function setAges(folder: string, timeOf: (version: number) => number, nowMs: number): void {
  const age = (path: string, ms: number) => utimesSync(join(folder, path), ms / 1000, ms / 1000)
  for (const version of naiveVersions(folder)) {
    for (const { add } of naiveCommit(folder, version)) {
      if (add) age(decodeURIComponent(add.path), timeOf(version))
    }
  }
  for (const [name, ms] of [
    ['orphan-old.parquet', nowMs - 8 * dayMs],
    ['orphan-young.parquet', nowMs - 6 * dayMs],
  ] as const) {
    writeFileSync(join(folder, name), 'nobody knows this file')
    age(name, ms)
  }
}

/** What VACUUM must delete, from the bare commits and the files' ages. */
function expiredFiles(folder: string, beforeMs: number): readonly string[] {
  const live = new Set<string>()
  const removedMs = new Map<string, number>()
  for (const version of naiveVersions(folder)) {
    const actions = naiveCommit(folder, version)
    for (const { remove } of actions) {
      if (!remove) continue
      live.delete(decodeURIComponent(remove.path))
      removedMs.set(decodeURIComponent(remove.path), remove.deletionTimestamp ?? 0)
    }
    for (const { add } of actions) {
      if (!add) continue
      live.add(decodeURIComponent(add.path))
      removedMs.delete(decodeURIComponent(add.path))
    }
  }
  return dataFiles(folder).filter((path) => {
    const isOld = statSync(join(folder, path)).mtimeMs < beforeMs
    return isOld && !live.has(path) && (removedMs.get(path) ?? 0) <= beforeMs
  })
}

/** The version a log clean-up must keep from, by the rule of the protocol's reference writer. */
function expectedKeepFrom(folder: string, timeOf: (version: number) => number, nowMs: number) {
  const cutoffMs = Math.floor((nowMs - logDays * dayMs) / dayMs) * dayMs
  const cutoff = naiveVersions(folder).findLast((version) => timeOf(version) <= cutoffMs) ?? 0
  const checkpoints = globSync('*.checkpoint.parquet', { cwd: join(folder, '_delta_log') })
  const versions = checkpoints.map((name) => Number(basename(name).slice(0, 20)))
  return Math.max(...versions.filter((version) => version <= cutoff))
}

export const promised: Promised = {
  id: 'C4',
  title: 'checkpoint, log clean-up and VACUUM keep every version that they promise',
  unit: 'faults',
  bar: '0 on 1,000 versions, read by us, chdb and deltalake; VACUUM takes exactly what is expired',
  quick: false,
  limitSeconds: 3600,
  run: async (report) => {
    const missing = missingEngines(referees)
    if (missing.length > 0) {
      const error = `not installed: ${missing.join(', ')}; npm run setup:referees`
      return { ok: false, value: 0, detail: { error } }
    }
    const folder = temporaryFolder('c4')
    const { connection, close } = await openDatabase()
    try {
      const seed = numberFlag('seed', 404)
      const chapterCount = numberFlag('versions', 1000)
      const story = randomStory(seed, 'kept', {
        // Two in three chapters write new rows, so nearly every chapter is a version of its own.
        kinds: ['append', 'overwrite', 'upsert', 'delete', 'compact'],
        partitionTypes: ['date'],
        isAlwaysKeyed: true,
        chapterCount: Math.round(chapterCount * 1.3),
      })
      const path = join(folder.path, 'kept')
      const stepMs = Math.round((storyDays * dayMs) / story.chapters.length)
      const versions = await writeStory(connection, story, path, {
        clock: (chapter) => startMs + (chapter + 1) * stepMs,
        properties: { 'delta.logRetentionDuration': `interval ${logDays} days` },
      })
      const times = await commitTimes(path)
      const timeAt = (at: number) => times.get(at) ?? 0
      const newest = versions.at(-1) ?? 0
      const nowMs = timeAt(newest) + 60_000
      report(`seed ${seed}: ${newest + 1} versions over ${storyDays} days written`)
      setAges(path, timeAt, nowMs)
      const table = await openTable(folderStore(path), {
        host: { ...systemHost, nowMs: () => nowMs },
      })
      await table.checkpoint()
      const faults: string[] = []
      const expectFault = (isRight: boolean, text: string) => {
        if (!isRight) faults.push(text)
      }
      const expired = expiredFiles(path, nowMs - fileDays * dayMs)
      const keepFrom = expectedKeepFrom(path, timeAt, nowMs)
      const cleaned = await cleanLog(table)
      const left = naiveVersions(path)
      expectFault(
        left[0] === keepFrom && left.length === newest - keepFrom + 1,
        `the log begins at ${left[0]} and has ${left.length} commits, expected ${keepFrom}`,
      )
      report(`log cleaned: ${cleaned.files.length} files, kept from version ${keepFrom}`)
      const kept: WrittenStory = { story, path, versions, oldest: keepFrom }
      const differences = await judged(kept)
      const planned = await vacuum(table, { dryRun: true })
      const before = dataFiles(path)
      await vacuum(table)
      const after = new Set(dataFiles(path))
      const gone = before.filter((file) => !after.has(file))
      const samePaths = (a: readonly string[], b: readonly string[]) =>
        a.toSorted().join('\n') === b.toSorted().join('\n')
      expectFault(expired.length > 10, `only ${expired.length} files were to expire`)
      expectFault(
        samePaths(gone, expired),
        `VACUUM took ${gone.length}, expected ${expired.length}`,
      )
      expectFault(
        samePaths(
          planned.files.map((file) => file.path),
          expired,
        ),
        'the dry run told something else',
      )
      const young = [...times].find(([, ms]) => ms >= nowMs - fileDays * dayMs)?.[0] ?? newest
      report(`VACUUM took ${gone.length} of ${before.length} files`)
      differences.push(...(await judged({ ...kept, oldest: young })))
      for (const one of differences.slice(0, 5)) report(JSON.stringify(one))
      const value = faults.length + differences.length
      return {
        ok: value === 0 && newest >= chapterCount,
        value,
        detail: { seed, versions: newest + 1, keepFrom, vacuumed: gone.length, faults },
      }

      async function judged(written: WrittenStory): Promise<Difference[]> {
        const found = [...(await judgeByUs(connection, [written])).differences]
        for (const engine of referees) {
          found.push(...(await judgeByEngine(engine, [written], folder.path, report)).differences)
        }
        return found
      }
    } finally {
      close()
      folder.remove()
    }
  },
}

/** Times of the versions, by the modification times of their commits. */
async function commitTimes(folder: string): Promise<ReadonlyMap<number, number>> {
  return new Map(
    naiveVersions(folder).map((version) => {
      const name = `${String(version).padStart(20, '0')}.json`
      return [version, Math.round(statSync(join(folder, '_delta_log', name)).mtimeMs)] as const
    }),
  )
}
