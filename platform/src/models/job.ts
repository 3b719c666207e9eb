import { modelHash } from '@isotherm/anomaly'
import { IsothermError, type ModelSpec } from '../contracts/index.ts'
import type { JobContext } from '../lake/index.ts'
import { encodeArtifact } from './artifact.ts'
import { writeFeatureBaselines } from './feature-baselines.ts'
import type { FleetDevice } from './feature-rows.ts'
import { featureSource, knownFeatureSource } from './feature-source.ts'
import { manifestOf } from './manifest-of-training.ts'
import { modelCard } from './model-card.ts'
import type { ModelManifest } from './model-manifest.ts'
import type { ModelRegistry } from './model-registry.ts'
import { type ModelThreads, startModelThreads } from './model-threads.ts'
import { compareVersions, nextVersion } from './model-version.ts'
import { MAX_TRAINING_ROWS, type TrainingInput, trainArtifact } from './train-artifact.ts'
import type { ExcludedSpan } from './training-rows.ts'

/** What to train. */
export type TrainOptions = {
  readonly registry: ModelRegistry
  readonly devices: readonly FleetDevice[]
  /** End of the data period, epoch ms, exclusive: nothing later is read. */
  readonly untilMs: number
  /** Only these families or durations; default all of the fleet. */
  readonly only?: { readonly modelId?: string; readonly durationMinutes?: number }
  /** Replaces the specs' seeds. */
  readonly seed?: number
  /** Scoring threads; the result does not depend on them. Default 1. */
  readonly threads?: number
  /** Makes the new versions champions; the first version of a family always is. */
  readonly deploy?: boolean
  /** Windows under an open or confirmed alert: never training rows (MOD-15, MOD-36). */
  readonly excludedSpans?: readonly ExcludedSpan[]
  /**
   * Trains on the history as it was known at `untilMs`, which must be filled up to then; default:
   * on the table as it is now.
   */
  readonly asKnown?: boolean
  /** Most training rows per artifact, default 500,000 (MOD-33). */
  readonly rowLimit?: number
  /** Who deploys, for the record; default `isotherm train`. */
  readonly setBy?: string
}

/** What became of one family and duration. */
export type TrainedModel =
  | { readonly kind: 'trained'; readonly manifest: ModelManifest; readonly isDeployed: boolean }
  /** The same rows, spec and seed gave the same bytes as an existing version. */
  | { readonly kind: 'unchanged'; readonly manifest: ModelManifest }
  | {
      readonly kind: 'failed'
      readonly modelId: string
      readonly durationMinutes: number
      readonly error: IsothermError
    }

/** Result of a training run, one entry per family and duration in the fleet's order. */
export type TrainOutcome = { readonly models: readonly TrainedModel[] }

/**
 * Trains the fleet's models, registers what passes the publish gate and deploys the first version
 * of each (MOD-2, MOD-41, MOD-63). Later versions wait as STAGING. One model failing never stops
 * another; a run on the same table version, seed and code adds nothing.
 */
export async function trainModels(
  context: JobContext,
  options: TrainOptions,
): Promise<TrainOutcome> {
  const { threads: threadCount = 1, only = {} } = options
  const tasks = context.lake.fleet.models
    .filter(({ modelId }) => only.modelId === undefined || modelId === only.modelId)
    .flatMap((spec) => spec.windowMinutes.map((minutes) => ({ spec, minutes })))
    .filter(({ minutes }) => only.durationMinutes === undefined || minutes === only.durationMinutes)
  const threads = threadCount > 1 ? startModelThreads(threadCount) : undefined
  try {
    const models: TrainedModel[] = []
    for (const [index, { spec, minutes }] of tasks.entries()) {
      context.onProgress?.(`training ${spec.modelId} ${minutes} min`, index, tasks.length)
      models.push(await trainOne(context, options, spec, minutes, threads))
    }
    return { models }
  } finally {
    await threads?.close()
  }
}

async function trainOne(
  context: JobContext,
  options: TrainOptions,
  spec: ModelSpec,
  durationMinutes: number,
  threads: ModelThreads | undefined,
): Promise<TrainedModel> {
  const { lake } = context
  const { devices, untilMs, registry, excludedSpans = [], rowLimit = MAX_TRAINING_ROWS } = options
  try {
    const source =
      options.asKnown === true
        ? await knownFeatureSource(lake, durationMinutes, untilMs)
        : await featureSource(lake, durationMinutes)
    const input: TrainingInput = {
      fleet: lake.fleet,
      spec,
      source,
      devices,
      excludedSpans,
      untilMs,
      seed: options.seed ?? spec.seed,
      rowLimit,
      ...(threads === undefined ? {} : { threads }),
    }
    const trained = await lake.withConnection((connection) => trainArtifact(connection, input))
    const bytes = encodeArtifact(trained.artifact)
    const previous = (await registry.list())
      .filter(
        (known) => known.modelId === spec.modelId && known.durationMinutes === durationMinutes,
      )
      .sort((a, b) => compareVersions(a.modelVersion, b.modelVersion))
    const same = previous.find(({ contentHash }) => contentHash === modelHash(bytes))
    const manifest =
      same ??
      manifestOf(input, trained, {
        bytes,
        modelVersion: nextVersion(
          previous.at(-1),
          { spec, features: trained.artifact.features },
          'retrain',
        ),
        trainedAtMs: context.nowMs,
      })
    if (same === undefined) {
      await registry.register({ manifest, bytes, card: modelCard(manifest) })
    }
    await writeFeatureBaselines(context, manifest, trained.trainingRows)
    const isDeployed = await deployed(context, options, manifest)
    return same === undefined
      ? { kind: 'trained', manifest, isDeployed }
      : { kind: 'unchanged', manifest }
  } catch (cause) {
    return {
      kind: 'failed',
      modelId: spec.modelId,
      durationMinutes,
      error: asError(spec, durationMinutes, cause),
    }
  }
}

/** Makes a version champion if asked to, or if the family has never had one (MOD-41). */
async function deployed(
  { nowMs }: JobContext,
  { registry, deploy, setBy = 'isotherm train' }: TrainOptions,
  { modelId, durationMinutes, modelVersion, granularity }: ModelManifest,
): Promise<boolean> {
  const champions = (await registry.deployments()).filter(
    (row) =>
      row.model_id === modelId &&
      row.window_duration_minutes === durationMinutes &&
      row.deployment_role === 'champion',
  )
  const isFirst = champions.length === 0
  const isChampion = champions.at(-1)?.model_version === modelVersion
  if (isChampion || !(isFirst || deploy === true)) return isChampion
  await registry.deploy({
    model_id: modelId,
    granularity,
    window_duration_minutes: durationMinutes,
    slice: '*',
    model_version: modelVersion,
    deployment_role: 'champion',
    traffic_fraction: 1,
    effective_from: new Date(nowMs).toISOString(),
    effective_to: null,
    set_by: setBy,
    reason: isFirst ? 'first version of the family' : 'deployed on request after training',
  })
  return true
}

function asError(spec: ModelSpec, durationMinutes: number, cause: unknown): IsothermError {
  if (cause instanceof IsothermError) return cause
  const message = cause instanceof Error ? cause.message : String(cause)
  return new IsothermError(
    'GATE_FAILED',
    `${spec.modelId}, ${durationMinutes} min: training failed: ${message}`,
    { cause },
  )
}
