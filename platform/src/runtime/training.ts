import { alertedSpans } from '../alerts/index.ts'
import type { JobContext } from '../lake/index.ts'
import { type TrainOptions, type TrainOutcome, trainModels } from '../models/index.ts'
import type { Deployment } from './deployment.ts'

/** The longest data period of a model, MOD-2: what happened before cannot be in its rows. */
const trainingPeriodMs = 90 * 86_400_000

/** How a training differs from the fleet's defaults. */
export type TrainingOptions = Pick<
  TrainOptions,
  'only' | 'seed' | 'threads' | 'deploy' | 'setBy' | 'untilMs' | 'asKnown'
> & {
  readonly onProgress?: JobContext['onProgress']
  /** When the versions come into force, epoch ms; default: now. */
  readonly effectiveMs?: number
}

/**
 * Trains a deployment's models on the time that no HIGH or CRITICAL alert covers: what a unit did
 * while it was broken is not its normal, MOD-36.
 */
export async function trainDeployment(
  { lake, state, models, clock, threadCount }: Deployment,
  { onProgress, effectiveMs, ...options }: TrainingOptions,
): Promise<TrainOutcome> {
  const { untilMs } = options
  return trainModels(
    { lake, nowMs: effectiveMs ?? clock(), ...(onProgress !== undefined && { onProgress }) },
    {
      threads: threadCount ?? 1,
      ...options,
      registry: models,
      devices: state.registry.devices(),
      excludedSpans: await alertedSpans(state, untilMs - trainingPeriodMs, untilMs),
    },
  )
}
