import type { DuckDBConnection } from '@duckdb/node-api'
import { DeltaError, folderStore, openTable } from '@isotherm/delta'
import type { Difference, WrittenStory } from './judge-our-tables.ts'
import { liveOn } from './our-engine.ts'
import { continuedStory } from './random-story.ts'

/** Tables begun by another engine and gone on with by this library. */
export type SharedTables = {
  readonly written: readonly WrittenStory[]
  /** Why this library would not write to some, by table. */
  readonly refused: Readonly<Record<string, string>>
  readonly failures: readonly Difference[]
}

/** Goes on with tables that another engine wrote, where that is allowed. */
export async function goOnWith(
  connection: DuckDBConnection,
  theirs: readonly WrittenStory[],
): Promise<SharedTables> {
  const written: WrittenStory[] = []
  const refused: Record<string, string> = {}
  const failures: Difference[] = []
  for (const { story, path, versions } of theirs) {
    const kinds = ['append', 'delete', 'upsert', 'overwrite', 'compact'] as const
    const rules = { kinds, partitionTypes: [], plainPartitions: true }
    const longer = continuedStory(story, story.seed + 17, rules, 4)
    try {
      const table = await openTable(folderStore(path))
      const more = await liveOn(connection, table, longer, story.chapters.length)
      const oldest = (versions.at(-1) ?? 0) + 1
      written.push({ story: longer, path, versions: [...versions, ...more], oldest })
    } catch (cause) {
      if (cause instanceof DeltaError && cause.code === 'TABLE_NOT_WRITABLE') {
        refused[story.name] = cause.facts.what
        continue
      }
      const found = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
      const at = { table: story.name, seed: story.seed, version: -1, reader: 'this library' }
      failures.push({ ...at, topic: 'writing on', expected: 'a commit or a refusal', found })
    }
  }
  return { written, refused, failures }
}
