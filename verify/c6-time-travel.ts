import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { folderStore, openTable, relationSql } from '@isotherm/delta'
import { canonicalRows } from './delta/duckdb-values.ts'
import { numberFlag } from './delta/flags.ts'
import { openDatabase, writeStory } from './delta/our-engine.ts'
import { randomStory } from './delta/random-story.ts'
import { seededRandom } from './delta/seeded-random.ts'
import { canonicalRow, compareUtf8, type Row } from './delta/values.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const startMs = Date.UTC(2026, 0, 1)
const minuteMs = 60_000

function hashOf(rows: readonly string[]): string {
  const text = rows.toSorted(compareUtf8).join('\n')
  return createHash('sha256').update(text).digest('hex')
}

export const promised: Promised = {
  id: 'C6',
  title: 'time travel by version and by timestamp shows what was recorded',
  unit: 'differences',
  bar: '0 over 50 random versions and 50 random timestamps',
  quick: true,
  limitSeconds: 600,
  run: async (report) => {
    const folder = temporaryFolder('c6')
    const { connection, close } = await openDatabase()
    try {
      const seed = numberFlag('seed', 606)
      const random = seededRandom(seed)
      const story = randomStory(seed, 'travel', {
        kinds: ['append', 'append', 'overwrite', 'delete', 'upsert', 'add-column', 'compact'],
        partitionTypes: ['string', 'date'],
        addsBeforePartitions: true,
        isAlwaysKeyed: true,
        chapterCount: numberFlag('chapters', 120),
      })
      // Chapters are one to sixty minutes apart, to the millisecond.
      const times = [startMs]
      for (const _ of story.chapters) {
        times.push((times.at(-1) ?? 0) + minuteMs + random.below(59 * minuteMs))
      }
      const path = join(folder.path, 'travel')
      const versions = await writeStory(connection, story, path, {
        clock: (i) => times[i + 1] ?? 0,
      })
      const recorded = new Map<number, { readonly hash: string; readonly timeMs: number }>()
      const record = (
        version: number,
        timeMs: number,
        fields: typeof story.fields,
        rows: readonly Row[],
      ) => {
        if (recorded.has(version)) return
        recorded.set(version, {
          hash: hashOf(rows.map((row) => canonicalRow(fields, row))),
          timeMs,
        })
      }
      record(0, startMs, story.fields, [])
      story.chapters.forEach(({ fields, rows }, i) => {
        record(versions[i] ?? 0, times[i + 1] ?? 0, fields, rows)
      })
      report(`seed ${seed}, ${recorded.size} versions recorded`)
      const differences: string[] = []
      const compare = async (
        label: string,
        request: { version?: number; timestampMs?: number },
        wanted: number,
      ) => {
        const table = await openTable(folderStore(path))
        const snapshot = await table.snapshot(request)
        const relation = relationSql(table, snapshot)
        const found = hashOf(await canonicalRows(connection, relation, snapshot.schema.fields))
        const isRight = snapshot.version === wanted && found === recorded.get(wanted)?.hash
        if (!isRight) differences.push(`${label}: version ${snapshot.version}, expected ${wanted}`)
      }
      const all = [...recorded.entries()].toSorted(([a], [b]) => a - b)
      for (let i = 0; i < 50; i++) {
        const [version] = random.pick(all)
        await compare(`version ${version}`, { version }, version)
      }
      for (let i = 0; i < 50; i++) {
        const place = random.below(all.length - 1)
        const [version, { timeMs }] = all[place] ?? [0, { timeMs: 0 }]
        const nextMs = all[place + 1]?.[1].timeMs ?? timeMs
        // The exact time of a commit, the last moment of its reign, and any between.
        const timestampMs = random.pick([
          timeMs,
          nextMs - 1,
          timeMs + random.below(nextMs - timeMs),
        ])
        await compare(`at ${new Date(timestampMs).toISOString()}`, { timestampMs }, version)
      }
      const table = await openTable(folderStore(path))
      const tooEarly = await table.snapshot({ timestampMs: startMs - 1 }).then(
        () => 'a snapshot',
        (error: { readonly code?: string }) => error.code,
      )
      if (tooEarly !== 'VERSION_NOT_AVAILABLE') differences.push(`before the first: ${tooEarly}`)
      return {
        ok: differences.length === 0,
        value: differences.length,
        detail: { seed, versions: recorded.size, first: differences.slice(0, 5) },
      }
    } finally {
      close()
      folder.remove()
    }
  },
}
