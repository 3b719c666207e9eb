import type { DuckDBConnection } from '@duckdb/node-api'
import { calibrateScores, emptyGroupStatistics } from '@isotherm/anomaly'
import {
  type FleetDefinition,
  IsothermError,
  type ModelSpec,
  selectFeatures,
} from '../contracts/index.ts'
import type { ModelArtifact } from './artifact.ts'
import { readDeviceStatistics, readyDevices } from './device-history.ts'
import type { FeatureRows, FleetDevice } from './feature-rows.ts'
import type { FeatureSource } from './feature-source.ts'
import { type FitOutcome, fitArtifact, resolutionFloors } from './fit-artifact.ts'
import { type DeviceStatistics, normalModesOf, withDeviceStatistics } from './fit-baseline.ts'
import type { ModelMetrics } from './model-manifest.ts'
import type { ModelThreads } from './model-threads.ts'
import { publishGate, requireLiveFeatures, trainingMetrics } from './publish-gate.ts'
import { scoreRows } from './score-rows.ts'
import {
  type ExcludedSpan,
  type ExclusionSummary,
  firstWindowStart,
  readTrainingRows,
} from './training-rows.ts'
import { splitPeriod, type TrainingSplit } from './training-split.ts'

/** Most training rows of a family, MOD-33. */
export const MAX_TRAINING_ROWS = 500_000

/** What one artifact is trained from. */
export type TrainingInput = {
  readonly fleet: FleetDefinition
  readonly spec: ModelSpec
  readonly source: FeatureSource
  readonly devices: readonly FleetDevice[]
  readonly excludedSpans: readonly ExcludedSpan[]
  readonly untilMs: number
  readonly seed: number
  readonly rowLimit: number
  readonly threads?: ModelThreads
}

/** A trained artifact that passed its gate, with everything its registry entry records. */
export type TrainedArtifact = {
  readonly artifact: ModelArtifact
  readonly fit: FitOutcome
  readonly split: TrainingSplit
  readonly trainingRows: FeatureRows
  readonly validationRows: FeatureRows
  readonly exclusions: ExclusionSummary
  readonly metrics: ModelMetrics
  readonly warnings: readonly string[]
}

/**
 * Trains one family on one duration: select, split, fit, gate (MOD-31 to MOD-39, MOD-63).
 * @throws IsothermError INPUT_INVALID without history, GATE_FAILED
 */
export async function trainArtifact(
  connection: DuckDBConnection,
  input: TrainingInput,
): Promise<TrainedArtifact> {
  const { spec, source, untilMs, fleet, seed, threads } = input
  const firstWindowStartMs = await firstWindowStart(connection, source, untilMs)
  if (firstWindowStartMs === undefined) throw noHistory(input)
  const { durationMinutes } = source
  const split = splitPeriod({ firstWindowStartMs, untilMs, durationMinutes })
  const columns = selectFeatures(fleet, spec.features)
  const selection = {
    columns,
    devices: input.devices,
    excludedSpans: input.excludedSpans,
    limits: fleet.fallbackRules,
    rowLimit: input.rowLimit,
    seed,
  }
  const training = await readTrainingRows(connection, source, {
    ...selection,
    range: { startMs: split.trainStartMs, endMs: split.trainEndMs },
  })
  const devicesIn = deviceStatisticsReader(connection, input, split)
  const deviceStatistics = await devicesIn('training', columns)
  const fit = fitArtifact(training.rows, spec, { fleet, seed, deviceStatistics })
  const validation = await readTrainingRows(connection, source, {
    ...selection,
    range: { startMs: split.validationStartMs, endMs: split.validationEndMs },
  })
  requireLiveFeatures(fit.artifact, validation)
  const scores = await scoreRows(fit.artifact, validation.rows, threads)
  const again = await scoreRows(fit.artifact, validation.rows)
  const gateWarnings = publishGate(fit.artifact, scores, again, split)
  return {
    artifact: await withWholePeriod(fit.artifact, devicesIn),
    fit,
    split,
    trainingRows: training.rows,
    validationRows: validation.rows,
    exclusions: training.exclusions,
    metrics: trainingMetrics(await trainingScores(fit, training.rows), scores),
    warnings: [...gateWarnings, ...dataWarnings(training.exclusions, fit)],
  }
}

/** Calibrated scores of the training rows; a baseline's depend on the scope that judged the row. */
async function trainingScores(fit: FitOutcome, rows: FeatureRows): Promise<Float64Array> {
  const { detector, calibrations } = fit.artifact
  if (detector.kind === 'robust_baseline') return (await scoreRows(fit.artifact, rows)).scores
  return calibrateScores(fit.trainingRawScores, calibrations.fleet.anchors)
}

type DeviceStatisticsReader = (
  part: 'training' | 'whole',
  features: readonly string[],
) => Promise<(features: readonly string[]) => DeviceStatistics>

/**
 * Reads device statistics of a robust baseline. Whether a device has enough history is decided on
 * the whole data period, so that the calibration of its scope exists when the statistics are
 * refitted on that period.
 */
function deviceStatisticsReader(
  connection: DuckDBConnection,
  { spec, source, devices, fleet }: TrainingInput,
  split: TrainingSplit,
): DeviceStatisticsReader {
  return async (part, wanted) => {
    const none = (features: readonly string[]): DeviceStatistics => ({
      deviceIds: [],
      statistics: emptyGroupStatistics(0, features.length),
    })
    if (spec.kind !== 'robust_baseline') return none
    const period = { startMs: split.trainStartMs, endMs: split.validationEndMs }
    const histories = await readyDevices(connection, source, period, spec, fleet.fallbackRules)
    if (histories.length === 0) return none
    const range =
      part === 'whole' ? period : { startMs: split.trainStartMs, endMs: split.trainEndMs }
    const floors = resolutionFloors(fleet, wanted)
    const read = await readDeviceStatistics(connection, source, {
      range,
      histories,
      fit: { features: wanted, floors, normalModes: normalModesOf(spec) },
      limits: fleet.fallbackRules,
      devices,
    })
    return (features) => withColumns(read, wanted, features)
  }
}

/** Statistics of some of the columns: absent features are known only after the rows are read. */
function withColumns(
  { deviceIds, statistics }: DeviceStatistics,
  from: readonly string[],
  to: readonly string[],
): DeviceStatistics {
  const sources = to.map((name) => from.indexOf(name))
  const pick = (values: Float64Array) =>
    Float64Array.from({ length: statistics.groupCount * to.length }, (_, cell) => {
      const group = Math.floor(cell / to.length)
      return values[group * from.length + sources[cell % to.length]!]!
    })
  return {
    deviceIds,
    statistics: {
      ...statistics,
      centres: pick(statistics.centres),
      scales: pick(statistics.scales),
    },
  }
}

/** The device statistics refitted on the whole data period after the gate, MOD-15. */
async function withWholePeriod(
  artifact: ModelArtifact,
  devicesIn: DeviceStatisticsReader,
): Promise<ModelArtifact> {
  const { detector } = artifact
  if (detector.kind !== 'robust_baseline' || artifact.deviceIds.length === 0) return artifact
  const devices = (await devicesIn('whole', artifact.features))(artifact.features)
  const isCalibrated = artifact.calibrations.device !== undefined
  return {
    ...artifact,
    deviceIds: devices.deviceIds,
    detector: withDeviceStatistics(detector, devices, isCalibrated),
  }
}

function dataWarnings(exclusions: ExclusionSummary, fit: FitOutcome): readonly string[] {
  const warnings: string[] = []
  if (exclusions.excludedFraction > 0.2) {
    warnings.push(
      `${(100 * exclusions.excludedFraction).toFixed(0)} % of the rows were excluded; review the selection rules or the data.`,
    )
  }
  const { mostlyImputedRows, unfillableRows } = fit.imputed
  const dropped = mostlyImputedRows.length + unfillableRows.length
  if (dropped > 0) warnings.push(`${dropped} training rows were dropped as mostly imputed.`)
  if (fit.absentFeatures.length > 0) {
    warnings.push(`Not model input, no device measures them: ${fit.absentFeatures.join(', ')}.`)
  }
  return warnings
}

function noHistory({ spec, source, untilMs }: TrainingInput): IsothermError {
  return new IsothermError(
    'INPUT_INVALID',
    `${spec.modelId}: there is no ${source.durationMinutes}-minute feature window before ${new Date(untilMs).toISOString()}; run the features stage or import history`,
  )
}
