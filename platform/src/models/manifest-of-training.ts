import { createRequire } from 'node:module'
import { modelHash } from '@isotherm/anomaly'
import type { ModelSpec } from '../contracts/index.ts'
import {
  FLAG_THRESHOLD,
  type Granularity,
  type ModelArtifact,
  type ScopedCalibrations,
} from './artifact.ts'
import type { FeatureRows } from './feature-rows.ts'
import { carryLimitMs, MAX_IMPUTED_SHARE } from './imputation.ts'
import type { CalibrationSummary, ModelManifest, PeriodSummary } from './model-manifest.ts'
import type { TrainedArtifact, TrainingInput } from './train-artifact.ts'

const packageFile: { readonly version: string } = createRequire(import.meta.url)(
  '../../package.json',
)

/** Scope of a family's statistics at its finest, as deployments and manifests name it. */
export function granularityOf(spec: ModelSpec): Granularity {
  return spec.kind === 'robust_baseline' ? 'device' : 'fleet'
}

/** The registry entry of a training run. */
export function manifestOf(
  input: TrainingInput,
  trained: TrainedArtifact,
  made: { readonly bytes: Uint8Array; readonly modelVersion: string; readonly trainedAtMs: number },
): ModelManifest {
  const { spec, source, seed } = input
  const { artifact, fit, split } = trained
  return {
    manifestVersion: 1,
    modelId: spec.modelId,
    durationMinutes: source.durationMinutes,
    modelVersion: made.modelVersion,
    granularity: granularityOf(spec),
    spec,
    seed,
    features: artifact.features,
    absentFeatures: fit.absentFeatures,
    imputation: {
      methods: ['carry forward', 'cohort median', 'fleet median', 'drop the row'],
      carryLimitHours: carryLimitMs(source.durationMinutes) / 3_600_000,
      maxImputedShare: MAX_IMPUTED_SHARE,
      droppedMostlyImputed: fit.imputed.mostlyImputedRows.length,
      droppedUnfillable: fit.imputed.unfillableRows.length,
    },
    threshold: FLAG_THRESHOLD,
    snapshotId: `${source.table.contract.name}@v${source.snapshot.version}`,
    split,
    training: period(trained.trainingRows, split.trainStartMs, split.trainEndMs),
    validation: period(trained.validationRows, split.validationStartMs, split.validationEndMs),
    exclusions: trained.exclusions,
    cleaningDroppedRows: fit.cleaningDroppedRows,
    calibrations: calibrationSummaries(artifact),
    metrics: trained.metrics,
    warnings: trained.warnings,
    contentHash: modelHash(made.bytes),
    sizeBytes: made.bytes.length,
    codeVersion: `isotherm ${packageFile.version}`,
    runtimeVersion: `node ${process.versions.node}`,
    trainedAtMs: made.trainedAtMs,
  }
}

/** By scope, those of modes with a normal of their own as `mode/scope`. */
function calibrationSummaries({
  calibrations,
  modeCalibrations,
  normalModes,
}: ModelArtifact): ModelManifest['calibrations'] {
  const summaries = (scopes: ScopedCalibrations, prefix: string) =>
    Object.entries(scopes).map(
      ([scope, { contamination, rowCount, anchors }]): [string, CalibrationSummary] => [
        `${prefix}${scope}`,
        { contamination, rowCount, anchors: [...anchors] },
      ],
    )
  return Object.fromEntries([
    ...summaries(calibrations, ''),
    ...modeCalibrations.flatMap((scopes, mode) => summaries(scopes, `${normalModes[mode]}/`)),
  ])
}

function period(rows: FeatureRows, startMs: number, endMs: number): PeriodSummary {
  return {
    startMs,
    endMs,
    rowCount: rows.matrix.rowCount,
    deviceCount: new Set(rows.deviceIds).size,
  }
}
