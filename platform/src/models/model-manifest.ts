import { IsothermError, type ModelSpec } from '../contracts/index.ts'
import type { Granularity } from './artifact.ts'
import type { ExclusionSummary } from './training-rows.ts'
import type { TrainingSplit } from './training-split.ts'

/** Which version of which artifact: one per family and duration, MOD-3. */
export type ModelKey = {
  readonly modelId: string
  readonly durationMinutes: number
  readonly modelVersion: string
}

/** Rows of one side of the temporal split. */
export type PeriodSummary = {
  readonly startMs: number
  readonly endMs: number
  readonly rowCount: number
  readonly deviceCount: number
}

/** Numbers of MOD-68 that training can know; -1 never occurs, what is unknown is absent. */
export type ModelMetrics = Readonly<Record<string, number>>

/** Anchors of one calibration, MOD-7. */
export type CalibrationSummary = {
  readonly contamination: number
  readonly rowCount: number
  readonly anchors: readonly number[]
}

/** Everything a registry entry records beside the artifact's bytes, MOD-69 and SRV-24. */
export type ModelManifest = ModelKey & {
  readonly manifestVersion: 1
  readonly granularity: Granularity
  /** Hyper-parameters including defaults. */
  readonly spec: ModelSpec
  readonly seed: number
  readonly features: readonly string[]
  /** Features of the spec that the training data does not have, FEA-2. */
  readonly absentFeatures: readonly string[]
  readonly imputation: {
    readonly methods: readonly string[]
    readonly carryLimitHours: number
    readonly maxImputedShare: number
    readonly droppedMostlyImputed: number
    readonly droppedUnfillable: number
  }
  readonly threshold: number
  readonly snapshotId: string
  readonly split: TrainingSplit
  readonly training: PeriodSummary
  readonly validation: PeriodSummary
  readonly exclusions: ExclusionSummary
  readonly cleaningDroppedRows: number
  /** By scope, `device`; those of operating modes with an own normal by `recovery/device`. */
  readonly calibrations: Readonly<Record<string, CalibrationSummary>>
  readonly metrics: ModelMetrics
  /** What a reader should know before trusting the model. */
  readonly warnings: readonly string[]
  /** SHA-256 of `model.bin`, hexadecimal. */
  readonly contentHash: string
  readonly sizeBytes: number
  readonly codeVersion: string
  readonly runtimeVersion: string
  readonly trainedAtMs: number
}

/** Reads a manifest. @throws IsothermError MODEL_INVALID naming the file and the field */
export function parseManifest(text: string, path: string): ModelManifest {
  const fail = (what: string, cause?: unknown): never => {
    throw new IsothermError(
      'MODEL_INVALID',
      `${path}: ${what}; restore the folder from a backup or train the model again`,
      { cause },
    )
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    fail('the manifest is no JSON', cause)
  }
  if (typeof value !== 'object' || value === null) return fail('the manifest is no object')
  const fields = new Map<string, unknown>(Object.entries(value))
  if (fields.get('manifestVersion') !== 1) {
    fail(`manifestVersion is ${String(fields.get('manifestVersion'))}, this release reads 1`)
  }
  for (const name of ['modelId', 'modelVersion', 'contentHash', 'snapshotId', 'granularity']) {
    if (typeof fields.get(name) !== 'string') fail(`${name} is missing`)
  }
  for (const name of ['durationMinutes', 'threshold', 'seed', 'trainedAtMs']) {
    if (typeof fields.get(name) !== 'number') fail(`${name} is missing`)
  }
  for (const name of ['spec', 'features', 'split', 'training', 'validation', 'calibrations']) {
    if (typeof fields.get(name) !== 'object') fail(`${name} is missing`)
  }
  return value as ModelManifest
}
