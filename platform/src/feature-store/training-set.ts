import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { sqlText } from '../clean/index.ts'
import { featureColumns, IsothermError } from '../contracts/index.ts'
import type { JobContext } from '../lake/index.ts'
import { historySource, requireFilled } from './history-source.ts'
import {
  brokenRule,
  judgedWindows,
  type TrainingRule,
  trainingRowsQuery,
} from './training-query.ts'

/** Which rows to learn from. */
export type TrainingSetRequest = {
  readonly durationMinutes: number
  /** Window starts from here, epoch ms. */
  readonly fromMs: number
  /** Windows end by then: the training cut, FEA-16. */
  readonly cutMs: number
  /** Readings and labels known by then count; default: now. Written as `assembled_at`. */
  readonly asOfMs?: number
  /** Default: every numeric feature of the fleet. */
  readonly featureNames?: readonly string[]
  /** Hours before an event that are left out; default 24, per model (MOD-75: 12). */
  readonly bufferHours?: number
  /** Hours before the buffer that get the label; default 24. */
  readonly maxAgeHours?: number
  /** Default 0.5. */
  readonly minCompleteness?: number
  /** Version of `feature_history`; default the newest. */
  readonly historyVersion?: number
  /** Version of `label_events`; default the newest. */
  readonly labelVersion?: number
  /** Folder of the sets; created if it is not there. */
  readonly directory: string
}

/** What a set is made of: enough to make it again, byte for byte (CON-25). */
export type TrainingSet = {
  readonly path: string
  /** Of the Parquet file. */
  readonly sha256: string
  readonly snapshotId: string
  readonly labelSnapshotId: string
  readonly featureVersion: string
  readonly featureNames: readonly string[]
  readonly rule: TrainingRule & { readonly durationMinutes: number }
  readonly rowCount: number
  /** Rows per label; unlabelled under `unlabelled`. */
  readonly labels: Readonly<Record<string, number>>
  /** Windows left out by reason. */
  readonly excluded: Readonly<Record<string, number>>
}

function ruleOf(request: TrainingSetRequest, nowMs: number): TrainingRule {
  const { fromMs, cutMs, bufferHours = 24, maxAgeHours = 24, minCompleteness = 0.5 } = request
  const asOfMs = request.asOfMs ?? nowMs
  const refuse = (reason: string) => new IsothermError('INPUT_INVALID', `training set: ${reason}`)
  if (!(fromMs < cutMs)) throw refuse('the span is empty; the cut is after its start')
  if (asOfMs > nowMs) throw refuse('as-of lies in the future; nothing is known of it')
  if (cutMs > asOfMs) throw refuse('the cut is after as-of: its windows were not yet known')
  for (const [name, value] of Object.entries({ bufferHours, maxAgeHours })) {
    if (!(Number.isInteger(value) && value >= 0)) throw refuse(`${name} ${value}: whole hours`)
  }
  const span = { startMs: fromMs, endMs: cutMs }
  return { span, cutMs, asOfMs, bufferHours, maxAgeHours, minCompleteness }
}

async function counts(
  connection: DuckDBConnection,
  query: string,
): Promise<Readonly<Record<string, number>>> {
  const rows = (await connection.runAndReadAll(query)).getRowsJS()
  return Object.fromEntries(rows.map(([name, count]) => [String(name), Number(count)]))
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** E3.7. @throws IsothermError GATE_FAILED */
async function checkRows(connection: DuckDBConnection, path: string, rule: TrainingRule) {
  const reader = await connection.runAndReadAll(
    `SELECT count(*)::DOUBLE FROM read_parquet(${sqlText(path)}) WHERE ${brokenRule(rule)}`,
  )
  const broken = Number(reader.getRows()[0]?.[0])
  if (broken === 0) return
  throw new IsothermError(
    'GATE_FAILED',
    `training set: check E3.7 fails for ${broken} rows; nothing was kept`,
  )
}

/**
 * Assembles training rows by contract 3.5 from pinned versions of history and labels, and keeps
 * them as an immutable Parquet file named by its SHA-256, with a JSON beside that says how to make
 * it again. The same request and versions give the same bytes, on any number of threads.
 * @throws IsothermError INPUT_INVALID for days that were not filled or a request that contradicts
 *   itself, GATE_FAILED if a row breaks CON-23
 */
export async function assembleTrainingSet(
  { lake, nowMs }: JobContext,
  request: TrainingSetRequest,
): Promise<TrainingSet> {
  const rule = ruleOf(request, nowMs)
  const { durationMinutes, directory, historyVersion, labelVersion } = request
  const known = featureColumns(lake.fleet).map(({ name }) => name)
  const featureNames = request.featureNames ?? known
  const strange = featureNames.find((name) => !known.includes(name))
  if (strange !== undefined) {
    throw new IsothermError('INPUT_INVALID', `training set: there is no feature ${strange}`)
  }
  const source = await historySource(lake, {
    durationMinutes,
    ...(historyVersion === undefined ? {} : { tableVersion: historyVersion }),
  })
  requireFilled(source, rule.span)
  const labelTable = lake.table('label_events')
  const labelSnapshot = await labelTable.snapshot(
    labelVersion === undefined ? {} : { version: labelVersion },
  )
  const snapshotId = `feature_history@v${source.snapshot.version}`
  const labelSnapshotId = `label_events@v${labelSnapshot.version}`
  await mkdir(directory, { recursive: true })
  const draft = join(directory, `draft-${randomUUID()}.parquet`)
  return await lake.withConnection(async (connection) => {
    try {
      const labels = labelTable.relation(labelSnapshot)
      await connection.run(
        `CREATE OR REPLACE TEMP TABLE judged AS ${judgedWindows(source, labels, rule)}`,
      )
      const set = { durationMinutes, featureNames, snapshotId, labelSnapshotId }
      await connection.run(`COPY (${trainingRowsQuery('judged', rule, set)})
        TO ${sqlText(draft)} (FORMAT parquet, COMPRESSION zstd)`)
      await checkRows(connection, draft, rule)
      const sha256 = await sha256Of(draft)
      const path = join(directory, `${sha256}.parquet`)
      const rowsByLabel = await counts(
        connection,
        `SELECT coalesce(label, 'unlabelled'), count(*)::DOUBLE
          FROM read_parquet(${sqlText(draft)}) GROUP BY 1 ORDER BY 1`,
      )
      const made: TrainingSet = {
        path,
        sha256,
        snapshotId,
        labelSnapshotId,
        featureVersion: source.featureVersion,
        featureNames,
        rule: { ...rule, durationMinutes },
        rowCount: Object.values(rowsByLabel).reduce((sum, count) => sum + count, 0),
        labels: rowsByLabel,
        excluded: await counts(
          connection,
          `SELECT exclusion, count(*)::DOUBLE FROM judged WHERE exclusion IS NOT NULL
            GROUP BY 1 ORDER BY 1`,
        ),
      }
      await rename(draft, path)
      await writeFile(join(directory, `${sha256}.json`), `${JSON.stringify(made, null, 2)}\n`)
      return made
    } finally {
      await rm(draft, { force: true })
    }
  })
}
