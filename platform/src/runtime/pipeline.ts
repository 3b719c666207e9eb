import { type AlertRunOutcome, runAlerts } from '../alerts/index.ts'
import { type CleanOutcome, cleanJob } from '../clean/index.ts'
import { type FeatureOutcome, featureJob } from '../features/index.ts'
import { type JobContext, type LandingOutcome, landingJob } from '../lake/index.ts'
import { type ScoringOutcome, scoringJob } from '../scoring/index.ts'
import { type AlertCopyOutcome, alertCopyJob } from './alert-copy.ts'
import type { Deployment } from './deployment.ts'
import { hydrate } from './hydration.ts'
import { witnessedRun } from './previous-scores.ts'
import type { StageClock } from './stage-clock.ts'

/** Stages of the pipeline in their order, as `isotherm run <stage>` names them. */
export const stageNames = ['land', 'clean', 'features', 'score', 'alerts', 'copy'] as const
export type StageName = (typeof stageNames)[number]

/** What a run of the pipeline did, stage by stage; a stage left out did not run. */
export type PipelineOutcome = {
  readonly landing?: LandingOutcome
  readonly clean?: CleanOutcome
  readonly features?: FeatureOutcome
  readonly scoring?: ScoringOutcome
  readonly alerts?: AlertRunOutcome
  readonly copy?: AlertCopyOutcome
}

/** How a pipeline runs. */
export type PipelineOptions = {
  /** Only these stages; default all. */
  readonly stages?: readonly StageName[]
  /** Every reading before this instant has arrived: its windows close at once. */
  readonly finishUntilMs?: number
  readonly onProgress?: JobContext['onProgress']
  /** True while a stream rule fires on a device. */
  readonly isFiring?: (deviceId: string, ruleId: string) => boolean
}

function pinned({ state }: Deployment) {
  return {
    devices: state.registry.devices(),
    registryVersion: state.registry.version(),
  }
}

/**
 * Moves everything forward once: log to landing, clean, features, scores, alerts, and the copy of
 * alerts in the lake. Each stage goes on where its own table stands, so a run after a crash
 * finishes what the last one began. A stage that fails ends the run; the next run takes it up.
 */
export async function runPipeline(
  deployment: Deployment,
  clock: StageClock,
  options: PipelineOptions = {},
): Promise<PipelineOutcome> {
  const { lake, log, models, state, fleet } = deployment
  const wants = (stage: StageName) => options.stages?.includes(stage) ?? true
  const context = (): JobContext => ({
    lake,
    nowMs: deployment.clock(),
    ...(options.onProgress && { onProgress: options.onProgress }),
  })
  let outcome: PipelineOutcome = {}
  if (wants('land')) {
    const landing = await clock.timed('land', () => landingJob(context(), log))
    outcome = { ...outcome, landing }
  }
  if (wants('clean')) {
    const clean = await clock.timed('clean', () => cleanJob(context(), pinned(deployment)))
    outcome = { ...outcome, clean }
  }
  if (wants('features')) {
    const { finishUntilMs } = options
    const features = await clock.timed('features', () =>
      featureJob(context(), {
        ...pinned(deployment),
        ...(finishUntilMs !== undefined && { finishUntilMs }),
      }),
    )
    outcome = { ...outcome, features }
  }
  if (wants('score')) {
    const scoring = await clock.timed('score', () =>
      scoringJob(context(), {
        registry: models,
        devices: state.registry.devices(),
        threads: deployment.threadCount ?? 1,
      }),
    )
    outcome = { ...outcome, scoring }
    if (wants('alerts') && scoring.models.some(({ kind }) => kind === 'scored')) {
      const alerts = await clock.timed('alerts', async () =>
        runAlerts({
          state,
          fleet,
          run: await witnessedRun(deployment, scoring, deployment.clock()),
          scoredDeviceCount: scoring.eligible.size,
          isFiring: options.isFiring ?? (() => false),
        }),
      )
      outcome = { ...outcome, alerts }
    }
    await hydrate(deployment, scoring)
  }
  if (wants('copy')) {
    const copy = await clock.timed('copy', () => alertCopyJob(context(), state.alerts))
    outcome = { ...outcome, copy }
  }
  return outcome
}
