import type { AddFile, Snapshot } from '@isotherm/delta'
import { countRows, filesByVersion, type Slice } from '../clean/index.ts'
import type { DeviceRow } from '../contracts/index.ts'
import type { Lake, LakeTable } from '../lake/index.ts'
import { createDeviceSlices } from './device-slices.ts'
import type { Expectation } from './expectation.ts'
import type { GateResult } from './gate-entry.ts'
import { judgeHistory } from './judge-history.ts'
import { judgeRows } from './judge-rows.ts'

/** What to judge. */
export type JudgeInput = {
  readonly devices: readonly DeviceRow[]
  readonly expectations: readonly Expectation[]
  /** Tables to look at, in order. */
  readonly tables: readonly string[]
  /** Version up to which each table was judged; a table not named is judged from its newest rows. */
  readonly positions: Readonly<Record<string, number>>
  readonly nowMs: number
}

/** What was found, and how far each table is judged now. */
export type JudgeOutcome = {
  readonly results: readonly GateResult[]
  readonly positions: Readonly<Record<string, number>>
}

/** Rows judged in one run at most, the newest ones: a backlog says little about now. */
const maxRows = 10_000_000

async function newFiles(
  table: LakeTable,
  snapshot: Snapshot,
  position: number | undefined,
): Promise<readonly AddFile[]> {
  if (position === undefined) return snapshot.files
  if (position >= snapshot.version) return []
  const versions = await filesByVersion(table, position, snapshot.version)
  return versions.flatMap(({ files }) => files)
}

/** The last files of a list that together hold at most so many rows, but at least one file. */
function newest(files: readonly AddFile[]): readonly AddFile[] {
  let first = files.length
  while (first > 0) {
    if (first < files.length && countRows(files.slice(first - 1)) > maxRows) break
    first -= 1
  }
  return files.slice(first)
}

/** The worst result per gate and slice: a table may be judged in several ways. */
function worst(results: readonly GateResult[]): readonly GateResult[] {
  const kept = new Map<string, GateResult>()
  for (const result of results) {
    const key = JSON.stringify([result.gateId, result.scope])
    const known = kept.get(key)
    if (known === undefined || (known.isPassed && !result.isPassed)) kept.set(key, result)
  }
  return [...kept.values()]
}

/**
 * Judges what is new in some tables against their expectations, per site and firmware. Reads only;
 * running it again over the same positions gives the same results.
 */
export async function judgeJob(lake: Lake, input: JudgeInput): Promise<JudgeOutcome> {
  return await lake.withConnection(async (connection) => {
    let slices: readonly Slice[] | undefined
    const results: GateResult[] = []
    const positions: Record<string, number> = { ...input.positions }
    for (const name of input.tables) {
      const table = lake.table(name)
      const snapshot = await table.snapshot()
      const files = newest(await newFiles(table, snapshot, input.positions[name]))
      const expectations = input.expectations.filter((one) => one.table === name)
      positions[name] = snapshot.version
      if (files.length === 0 || expectations.length === 0) continue
      slices ??= await createDeviceSlices(connection, input.devices)
      const relation = table.relation(snapshot, files)
      results.push(
        ...(await judgeRows(connection, lake.fleet, expectations, relation, slices)),
        ...(await judgeHistory({ connection, lake, expectations, relation, slices, input })),
      )
    }
    return { results: worst(results), positions }
  })
}
