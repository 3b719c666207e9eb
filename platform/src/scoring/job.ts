import { IsothermError } from '../contracts/index.ts'
import { completeUntilMs } from '../features/index.ts'
import type { JobContext } from '../lake/index.ts'
import {
  type DeploymentRow,
  type FleetDevice,
  type ModelRegistry,
  type ModelThreads,
  startModelThreads,
} from '../models/index.ts'
import { uuidV5 } from '../objects/index.ts'
import type { UnitOptions, UnitResult } from './collector.ts'
import { outcomeOf } from './outcome.ts'
import { runUnit } from './run-unit.ts'
import type { ModelRun, RunModel, ScoringOutcome } from './scored-window.ts'
import { isStale, scoringUnits, startAfterMs } from './scoring-plan.ts'

/** How a run scores. */
export type ScoringOptions = {
  readonly registry: ModelRegistry
  readonly devices: readonly FleetDevice[]
  /** Scoring and explaining threads; scores do not depend on them. Default 1. */
  readonly threads?: number
  /** Batches of fewer rows need no threads: starting them costs 0.3 s of processor. Default 4,000. */
  readonly minThreadedRows?: number
  /** How far back a family that never ran starts, default 7 days. */
  readonly backfillMs?: number
  /** Age of the newest complete window above which nothing is scored, default 2 h (SRV-34). */
  readonly staleAfterMs?: number
  /** Rows held in memory at once, default 50,000. */
  readonly batchRows?: number
}

const dayMs = 86_400_000

/**
 * Scores every complete window not scored before, once per family, duration and version (MOD-4,
 * SRV-1 to SRV-10), and commits each version's rows at once. What runs is read from the
 * deployments once. Only the target window is alert-eligible. A second run on the same features
 * adds nothing. One model failing never stops another; its error is in the outcome.
 */
export async function scoringJob(
  context: JobContext,
  options: ScoringOptions,
): Promise<ScoringOutcome> {
  const { nowMs } = context
  const { registry, threads: threadCount = 1, minThreadedRows = 4_000 } = options
  const runId = uuidV5('scoring', new Date(nowMs).toISOString())
  const deployed = await registry.deployed(nowMs)
  let threads: ModelThreads | undefined
  const threadsFor = (rowCount: number): ModelThreads | undefined => {
    if (threadCount > 1 && rowCount >= minThreadedRows) threads ??= startModelThreads(threadCount)
    return threads
  }
  const results: UnitResult[] = []
  try {
    for (const minutes of context.lake.fleet.windowMinutes) {
      const rows = deployed.filter((row) => row.window_duration_minutes === minutes)
      if (rows.length === 0) continue
      results.push(...(await scoreDuration(context, options, runId, minutes, rows, threadsFor)))
    }
  } finally {
    await threads?.close()
  }
  return outcomeOf(runId, nowMs, results)
}

async function scoreDuration(
  context: JobContext,
  options: ScoringOptions,
  runId: string,
  minutes: number,
  rows: readonly DeploymentRow[],
  threadsFor: NonNullable<UnitOptions['threadsFor']>,
): Promise<readonly UnitResult[]> {
  const { lake, nowMs } = context
  const { backfillMs = 7 * dayMs, staleAfterMs = 2 * 3_600_000 } = options
  const completeMs = await completeUntilMs(lake, minutes)
  if (completeMs === undefined)
    return rows.map((row) => resultOf({ ...modelOf(row), kind: 'nothing_new' }))
  // SRV-4: the newest complete window that ended by the time of the run. Features may be ahead of
  // the run's clock when history is replayed.
  const lengthMs = minutes * 60_000
  const targetMs = Math.min(completeMs, Math.floor(nowMs / lengthMs) * lengthMs)
  if (isStale(minutes, targetMs, nowMs, staleAfterMs)) {
    return rows.map((row) => staleResult(row, targetMs, options.devices))
  }
  const whole = rows.filter(({ slice }) => slice === '*')
  const sliced = rows.filter(({ slice }) => slice !== '*').map(sliceUnsupported)
  const positions = (await lake.table('model_scores').snapshot()).transactions
  const pending = whole.map((row) => ({
    row,
    afterMs: startAfterMs(row, positions, targetMs, backfillMs),
  }))
  const idle = pending
    .filter(({ afterMs }) => afterMs >= targetMs)
    .map(({ row }) => resultOf({ ...modelOf(row), kind: 'nothing_new' }))
  const scored: UnitResult[] = []
  for (const unit of scoringUnits(pending, targetMs)) {
    scored.push(
      ...(await runUnit(context, {
        ...options,
        unit,
        runId,
        threadsFor,
      })),
    )
  }
  return [...scored, ...idle, ...sliced]
}

function modelOf(row: DeploymentRow): RunModel {
  return {
    modelId: row.model_id,
    modelVersion: row.model_version,
    durationMinutes: row.window_duration_minutes,
    role: row.deployment_role,
  }
}

function resultOf(run: ModelRun): UnitResult {
  return { run, flagged: [], eligible: new Map(), exclusions: [] }
}

function staleResult(
  row: DeploymentRow,
  targetWindowEndMs: number,
  devices: readonly FleetDevice[],
): UnitResult {
  const run = modelOf(row)
  return {
    ...resultOf({ ...run, kind: 'stale', targetWindowEndMs }),
    exclusions: devices
      .filter(({ status }) => status === 'active')
      .map(({ device_id }) => ({
        deviceId: device_id,
        durationMinutes: run.durationMinutes,
        modelId: run.modelId,
        reason: 'FEATURES_STALE',
      })),
  }
}

function sliceUnsupported(row: DeploymentRow): UnitResult {
  return resultOf({
    ...modelOf(row),
    kind: 'failed',
    error: new IsothermError(
      'MODEL_INVALID',
      `${row.model_id} ${row.model_version} is deployed to slice ${row.slice}; this release scores slice * only`,
    ),
  })
}
