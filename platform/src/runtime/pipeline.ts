import { type AlertRunOutcome, runAlerts } from '../alerts/index.ts'
import type { CleanOutcome } from '../clean/index.ts'
import { type FeatureOutcome, featureJob } from '../features/index.ts'
import { type JobContext, type LandingOutcome, landingJob } from '../lake/index.ts'
import { repeatLastRun, type ScoringOutcome, scoringJob } from '../scoring/index.ts'
import { type AlertCopyOutcome, alertCopyJob } from './alert-copy.ts'
import type { Deployment } from './deployment.ts'
import { runFallback, scoredSetting } from './fallback.ts'
import { hydrate } from './hydration.ts'
import { witnessedRun } from './previous-scores.ts'
import { cleanStage, judgeTables, scoringFilter } from './quality-gates.ts'
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
  readonly fallback?: { readonly createdCount: number }
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

/** Remembers whose alerts were raised, so that a crash between scores and alerts is found. */
const lastAlertedRun = 'alerts.last_run'

async function raiseAlerts(
  deployment: Deployment,
  scoring: ScoringOutcome,
  { isFiring = () => false }: PipelineOptions,
): Promise<AlertRunOutcome> {
  const { state, fleet } = deployment
  const outcome = await runAlerts({
    state,
    fleet,
    run: await witnessedRun(deployment, scoring, deployment.clock()),
    scoredDeviceCount: scoring.eligible.size,
    isFiring,
  })
  await state.settings.set(lastAlertedRun, scoring.runId)
  return outcome
}

/**
 * Raises the alerts of a scoring run that a crash cut off after its scores were committed. Alert
 * ids are deterministic, so a run that was only half done adds just what is missing.
 */
export async function finishLastRun(
  deployment: Deployment,
  options: PipelineOptions = {},
): Promise<AlertRunOutcome | undefined> {
  const { lake, models, state } = deployment
  const devices = state.registry.devices()
  const last = await repeatLastRun(lake, { registry: models, devices })
  if (last === undefined || (await state.settings.get(lastAlertedRun)) === last.runId) return
  return raiseAlerts(deployment, last, options)
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
  const { lake, log, models, state } = deployment
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
    const clean = await clock.timed('clean', () =>
      cleanStage(deployment, context(), pinned(deployment)),
    )
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
    await clock.timed('gates', () => judgeTables(deployment, ['device_features']))
  }
  if (wants('score')) {
    const isScored = await scoringFilter(deployment)
    const scoring = await clock.timed('score', () =>
      scoringJob(context(), {
        registry: models,
        devices: state.registry.devices().filter(isScored),
        threads: deployment.threadCount ?? 1,
      }),
    )
    outcome = { ...outcome, scoring }
    if (wants('alerts') && scoring.models.some(({ kind }) => kind === 'scored')) {
      const alerts = await clock.timed('alerts', () => raiseAlerts(deployment, scoring, options))
      outcome = { ...outcome, alerts }
    }
    if (scoring.models.some(({ kind }) => kind === 'scored')) {
      await state.settings.set(scoredSetting, scoring.scoredAtMs)
    }
    if (wants('alerts')) {
      const fallback = await clock.timed('fallback', () => runFallback(deployment))
      outcome = { ...outcome, fallback }
    }
    await hydrate(deployment, scoring)
  }
  if (wants('copy')) {
    const copy = await clock.timed('copy', () => alertCopyJob(context(), state.alerts))
    outcome = { ...outcome, copy }
  }
  return outcome
}
