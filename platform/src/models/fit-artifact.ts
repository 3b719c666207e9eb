import {
  type Calibration,
  cleanAndRefit,
  type Detector,
  fitCalibration,
  fitGroupStatistics,
  fitNearestNeighbours,
  type ScaleFloors,
  scoreIsolationForest,
  scoreReferenceRows,
} from '@isotherm/anomaly'
import {
  type FleetDefinition,
  featureColumns,
  IsothermError,
  type ModelSpec,
  selectFeatures,
  unreachable,
} from '../contracts/index.ts'
import type { ModelArtifact, ScopedCalibrations } from './artifact.ts'
import { type FeatureRows, selectColumns } from './feature-rows.ts'
import {
  type DeviceStatistics,
  deviceStatisticsOf,
  fitScopedBaseline,
  normalModesOf,
} from './fit-baseline.ts'
import { type ImputedRows, imputeRows, type Normals } from './imputation.ts'
import { distinctSorted, groupIndices } from './row-groups.ts'

/** Share of nulls above which a feature is absent from a profile and not model input, FEA-2. */
export const ABSENT_NULL_FRACTION = 0.99

/** How a model is fitted. */
export type FitOptions = {
  /** Names the features and their resolution floors. */
  readonly fleet: FleetDefinition
  /** Seed of every random choice; default the spec's. */
  readonly seed?: number
  /** Statistics per device fitted apart on longer histories; default: from the rows. */
  readonly deviceStatistics?: (features: readonly string[]) => DeviceStatistics
}

/** A fitted model and what happened to the training rows. */
export type FitOutcome = {
  readonly artifact: ModelArtifact
  /** Features of the spec that no device of the training data has. */
  readonly absentFeatures: readonly string[]
  readonly imputed: ImputedRows
  /** Rows dropped by iterative cleaning, MOD-38. */
  readonly cleaningDroppedRows: number
  /** Raw scores of the calibration set. */
  readonly trainingRawScores: Float64Array
}

/**
 * Fits one model on feature rows: normals, imputation, detector, calibration on the sample before
 * cleaning (MOD-7, MOD-38, MOD-39). Equal rows, spec and seed give an equal artifact; rows must be
 * in (device, window) order, as they are read.
 * @throws IsothermError GATE_FAILED if no row can be used; AnomalyError of the detector
 */
export function fitArtifact(rows: FeatureRows, spec: ModelSpec, options: FitOptions): FitOutcome {
  const wanted = selectFeatures(options.fleet, spec.features)
  const fractions = nullFractions(rows, wanted)
  const features = wanted.filter((_, index) => fractions[index]! <= ABSENT_NULL_FRACTION)
  const cohortIds = distinctSorted(rows.cohortIds)
  const cohortOfRow = groupIndices(rows.cohortIds, cohortIds)
  const floors = resolutionFloors(options.fleet, features)
  const normals = fitNormals(rows, spec, { features, cohortOfRow, cohortIds, floors })
  const imputed = imputeRows(rows, features, cohortOfRow, normals)
  if (imputed.keptRows.length === 0) throw unusable(rows, spec)
  const fitted = fitDetector({
    rows,
    spec,
    features,
    imputed,
    normals,
    cohortOfRow,
    floors,
    options,
  })
  return {
    artifact: {
      stateVersion: 1,
      modelId: spec.modelId,
      durationMinutes: rows.durationMinutes,
      features,
      detector: fitted.detector,
      cohortIds,
      deviceIds: fitted.deviceIds,
      normalModes: normalModesOf(spec),
      normals,
      nullFractions: fractions.filter((fraction) => fraction <= ABSENT_NULL_FRACTION),
      calibrations: fitted.calibrations,
      modeCalibrations: fitted.modeCalibrations,
    },
    absentFeatures: wanted.filter((_, index) => fractions[index]! > ABSENT_NULL_FRACTION),
    imputed,
    cleaningDroppedRows: fitted.cleaningDroppedRows,
    trainingRawScores: fitted.rawScores,
  }
}

/** Resolution floors `r` of the given features, FEA section 3. */
export function resolutionFloors(fleet: FleetDefinition, features: readonly string[]): ScaleFloors {
  const named = new Set(features)
  return Object.fromEntries(
    featureColumns(fleet)
      .filter(({ name }) => named.has(name))
      .map(({ name, resolution }) => [name, resolution]),
  )
}

function nullFractions(rows: FeatureRows, names: readonly string[]): Float64Array {
  const { values, rowCount } = selectColumns(rows.matrix, names)
  const fractions = new Float64Array(names.length)
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i]!)) fractions[i % names.length]! += 1 / rowCount
  }
  return fractions
}

function fitNormals(
  rows: FeatureRows,
  spec: ModelSpec,
  groups: {
    readonly features: readonly string[]
    readonly cohortOfRow: Uint32Array
    readonly cohortIds: readonly string[]
    readonly floors: ScaleFloors
  },
): Normals {
  if (rows.matrix.rowCount === 0 || groups.features.length === 0) throw unusable(rows, spec)
  const measured = selectColumns(rows.matrix, groups.features)
  const { cohortOfRow, cohortIds, floors } = groups
  return {
    fleet: fitGroupStatistics(measured, new Uint32Array(measured.rowCount), 1, floors),
    cohorts: fitGroupStatistics(measured, cohortOfRow, cohortIds.length, floors),
  }
}

type Fitting = {
  readonly rows: FeatureRows
  readonly spec: ModelSpec
  readonly features: readonly string[]
  readonly imputed: ImputedRows
  readonly normals: Normals
  readonly cohortOfRow: Uint32Array
  readonly floors: ScaleFloors
  readonly options: FitOptions
}

type FittedDetector = {
  readonly detector: Detector
  readonly deviceIds: readonly string[]
  readonly calibrations: ScopedCalibrations & { readonly fleet: Calibration }
  readonly modeCalibrations: readonly ScopedCalibrations[]
  readonly rawScores: Float64Array
  readonly cleaningDroppedRows: number
}

function fitDetector(fitting: Fitting): FittedDetector {
  const { rows, spec, features, imputed, normals, cohortOfRow, floors, options } = fitting
  const seed = options.seed ?? spec.seed
  switch (spec.kind) {
    case 'isolation_forest': {
      const { treeCount, sampleSize, cleaningFraction } = spec
      const { forest, droppedRows } = cleanAndRefit(
        imputed.matrix,
        { treeCount, sampleSize, seed },
        { dropFraction: cleaningFraction },
      )
      const rawScores = scoreIsolationForest(forest, imputed.matrix)
      return calibrated(forest, rawScores, spec.contamination, droppedRows.length)
    }
    case 'knn_distance': {
      const { neighbourCount, maxReferenceRows } = spec
      const model = fitNearestNeighbours(imputed.matrix, {
        neighbourCount,
        maxReferenceRows,
        floors,
        seed,
      })
      return calibrated(model, scoreReferenceRows(model), spec.contamination, 0)
    }
    case 'robust_baseline': {
      const devices =
        options.deviceStatistics?.(features) ??
        deviceStatisticsOf(rows, { features, floors, normalModes: normalModesOf(spec) }, spec)
      const { matrix, keptRows } = imputed
      const { fleet, cohorts } = normals
      const of = { spec, features, floors, rows, matrix, keptRows }
      const baseline = fitScopedBaseline({ ...of, fleet, cohorts, cohortOfRow, devices })
      return { ...baseline, deviceIds: devices.deviceIds, cleaningDroppedRows: 0 }
    }
    default:
      return unreachable(spec)
  }
}

function calibrated(
  detector: Detector,
  rawScores: Float64Array,
  contamination: number,
  cleaningDroppedRows: number,
): FittedDetector {
  return {
    detector,
    deviceIds: [],
    calibrations: { fleet: fitCalibration(rawScores, contamination) },
    modeCalibrations: [],
    rawScores,
    cleaningDroppedRows,
  }
}

function unusable(rows: FeatureRows, spec: ModelSpec): IsothermError {
  return new IsothermError(
    'GATE_FAILED',
    `${spec.modelId}, ${rows.durationMinutes} min: none of ${rows.matrix.rowCount} training rows can be used, more than half of their features are null; train on a period with working sensors`,
  )
}
