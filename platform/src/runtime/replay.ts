import { type DeploymentOptions, openDeployment } from './deployment.ts'
import { runPipeline } from './pipeline.ts'
import { createStageClock } from './stage-clock.ts'

/** What to replay. */
export type ReplayOptions = Pick<DeploymentOptions, 'fleet' | 'dataDirectory' | 'threadCount'> & {
  /** First step; default: one step after the first feature window began. */
  readonly fromMs?: number
  /** Last step. */
  readonly untilMs: number
  /** Time between scoring runs. */
  readonly stepMs: number
  readonly onProgress?: (done: number, total: number) => void
}

/** What a replay did. */
export type ReplayOutcome = {
  readonly stepCount: number
  readonly scoredCount: number
  readonly alertCount: number
  readonly suppressedCount: number
}

/**
 * Runs scoring and alerting over features that are already there, step by step, with the clock at
 * each step: the scores and alerts that would have been. Windows scored before are left alone.
 */
export async function replayPipeline(options: ReplayOptions): Promise<ReplayOutcome> {
  const { stepMs, untilMs } = options
  let nowMs = options.fromMs ?? untilMs
  const deployment = await openDeployment({ ...options, clock: () => nowMs })
  try {
    if (options.fromMs === undefined) {
      const { rows } = await deployment.lake.query(
        'SELECT epoch_ms(min(window_start)) FROM device_features',
      )
      nowMs = Math.ceil((Number(rows[0]?.[0] ?? untilMs) + stepMs) / stepMs) * stepMs
    }
    const stages = createStageClock(deployment.clock, () => performance.now())
    const total = Math.max(0, Math.floor((untilMs - nowMs) / stepMs) + 1)
    const outcome = { stepCount: 0, scoredCount: 0, alertCount: 0, suppressedCount: 0 }
    for (; nowMs <= untilMs; nowMs += stepMs) {
      const { scoring, alerts } = await runPipeline(deployment, stages, {
        stages: ['score', 'alerts'],
      })
      outcome.stepCount += 1
      outcome.scoredCount += scoring?.eligible.size ?? 0
      outcome.alertCount += alerts?.createdCount ?? 0
      outcome.suppressedCount += alerts?.suppressedCount ?? 0
      options.onProgress?.(outcome.stepCount, total)
    }
    await runPipeline(deployment, stages, { stages: ['copy'] })
    return outcome
  } finally {
    await deployment.close()
  }
}
