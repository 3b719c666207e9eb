import type { DuckDBConnection } from '@duckdb/node-api'
import { relationSql } from '../data/relation.ts'
import { discardFiles, writeFiles } from '../data/write-files.ts'
import type { AddFile } from '../log/actions.ts'
import type { CommitOutcome } from '../log/commit-request.ts'
import type { DeltaTable } from '../table.ts'

/** What to compact, and into what. */
export interface CompactOptions {
  /** Files below three quarters of this are small; small ones are packed up to it. Default 128 MiB. */
  readonly targetFileBytes?: number
  /** Leave a partition alone that has fewer small files. Default 2. */
  readonly minFileCount?: number
  /** True for the files that may be compacted, for instance those of closed days. Default: all. */
  readonly selects?: (file: AddFile) => boolean
  /** SQL sort terms for the rows of each new file. Default: the order of the old files. */
  readonly orderBy?: readonly string[]
  readonly rowGroupRows?: number
  /** Time of the commit, milliseconds since 1970. Default: the host's clock. */
  readonly timestampMs?: number
}

/** How a compaction ended. */
export type CompactOutcome =
  | { readonly kind: 'nothing-to-do' }
  | {
      readonly kind: 'compacted'
      readonly version: number
      readonly removedFileCount: number
      readonly addedFileCount: number
    }
  | Extract<CommitOutcome, { readonly kind: 'conflict' }>

const defaultTargetFileBytes = 128 * 1024 * 1024

/**
 * Packs small files into larger ones, partition by partition, in one commit that changes no row
 * (`dataChange: false`: incremental readers skip it). Concurrent appends do not conflict; a concurrent
 * removal of a packed file does, and then nothing is changed.
 */
export async function compact(
  connection: DuckDBConnection,
  table: DeltaTable,
  options: CompactOptions = {},
): Promise<CompactOutcome> {
  const snapshot = await table.snapshot()
  const { orderBy, rowGroupRows, timestampMs, selects = () => true } = options
  const bins = packFiles(snapshot.files.filter(selects), options)
  if (bins.length === 0) return { kind: 'nothing-to-do' }
  const adds: AddFile[] = []
  const removes = bins.flat()
  for (const files of bins) {
    const written = await writeFiles(
      connection,
      table,
      `SELECT * FROM ${relationSql(table, snapshot, { files })}`,
      {
        snapshot,
        partitionValues: files[0]?.partitionValues ?? {},
        ...(orderBy === undefined ? {} : { orderBy }),
        ...(rowGroupRows === undefined ? {} : { rowGroupRows }),
        ...(timestampMs === undefined ? {} : { timestampMs }),
      },
    )
    adds.push(...written)
  }
  const outcome = await table.commit({
    readVersion: snapshot.version,
    adds,
    removes,
    dataChange: false,
    blindAppend: false,
    operation: 'OPTIMIZE',
    ...(timestampMs === undefined ? {} : { timestampMs }),
  })
  if (outcome.kind === 'conflict') {
    await discardFiles(table, adds)
    return outcome
  }
  return {
    kind: 'compacted',
    version: outcome.version,
    removedFileCount: removes.length,
    addedFileCount: adds.length,
  }
}

/**
 * Small files of one partition each, packed in path order into bins of about the target size. A bin
 * has two files or more.
 */
export function packFiles(
  files: readonly AddFile[],
  options: Pick<CompactOptions, 'targetFileBytes' | 'minFileCount'> = {},
): readonly (readonly AddFile[])[] {
  const { targetFileBytes = defaultTargetFileBytes, minFileCount = 2 } = options
  const small = files.filter((file) => file.size < 0.75 * targetFileBytes)
  const partitions = Map.groupBy(small, (file) =>
    JSON.stringify(Object.entries(file.partitionValues).toSorted()),
  )
  const bins: AddFile[][] = []
  for (const group of partitions.values()) {
    if (group.length < minFileCount) continue
    let bin: AddFile[] = []
    let sizeBytes = 0
    for (const file of group) {
      if (bin.length > 0 && sizeBytes + file.size > targetFileBytes) {
        bins.push(bin)
        bin = []
        sizeBytes = 0
      }
      bin.push(file)
      sizeBytes += file.size
    }
    bins.push(bin)
  }
  return bins.filter((bin) => bin.length >= 2)
}
