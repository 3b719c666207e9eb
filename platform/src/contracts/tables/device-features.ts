import { extension, optional, required, type TableContract } from '../column.ts'
import { type FeatureColumn, featureColumns } from '../feature-catalogue.ts'
import type { FleetDefinition } from '../fleet.ts'
import { plausibleRange } from '../plausible-range.ts'

type Bounds = readonly [low: number, high: number]

/** Bounds of a feature that follow from those of its sensor, CON-16; of a trend there are none. */
function boundsOf(fleet: FleetDefinition, { source }: FeatureColumn): Bounds | undefined {
  if (source.kind !== 'aggregate' || source.aggregate === 'slope') return undefined
  if (source.aggregate === 'fraction') return [0, 1]
  const range = plausibleRange(fleet, source.sensor)
  if (range === undefined || source.aggregate !== 'std') return range
  // The spread of two values at either end is their distance over √2; more values lie closer.
  return [0, range[1] - range[0]]
}

const mostCounted = 2 ** 31 - 1

/** Contract 3: one row per device, window and duration (CON-16 to CON-20). */
export function deviceFeatures(fleet: FleetDefinition): TableContract {
  const features = featureColumns(fleet)
  const sensorFeatures = features
    .filter(({ source }) => source.kind !== 'quality')
    .map((feature) => {
      const { name, label, unit } = feature
      const range = boundsOf(fleet, feature)
      const extra = { ...(unit !== '' && { unit }), ...(range !== undefined && { range }) }
      return optional(name, 'double', label, extra)
    })
  return {
    name: 'device_features',
    id: 'C3',
    version: '1.0.0',
    purpose: 'What each device did in each window: the input of training and scoring',
    columns: [
      required('device_id', 'string', 'Device'),
      required('window_start', 'timestamp', 'Start, inclusive, clock-aligned UTC'),
      required('window_end', 'timestamp', 'End, exclusive'),
      required('window_duration_minutes', 'integer', 'Length', {
        unit: 'min',
        range: [Math.min(...fleet.windowMinutes), Math.max(...fleet.windowMinutes)],
      }),
      required('reading_count', 'integer', 'Clean rows in the window', { range: [1, mostCounted] }),
      ...sensorFeatures,
      required('sensor_completeness', 'double', 'Mean share of sensors present', { range: [0, 1] }),
      required('quality_flag_count', 'integer', 'Rows with at least one quality flag', {
        range: [0, mostCounted],
      }),
      extension('computed_at', 'timestamp', 'When the row was computed'),
      extension('feature_version', 'string', 'Version of the feature definitions'),
      extension('clean_snapshot_id', 'string', 'Clean table version read'),
      extension('operating_mode', 'string', 'First matching operating mode, FEA-22'),
      extension('is_final', 'boolean', 'No late reading will change the row any more'),
      extension('late_created', 'boolean', 'Created by late data: training only, never alerts'),
      extension('post_maintenance', 'boolean', 'Within 48 h after confirmed maintenance'),
      extension('outlier_features', 'array<string>', 'Columns beyond 10 IQR, E3.4'),
      required('window_date', 'string', 'Partition: UTC date of window_start'),
    ],
    key: ['device_id', 'window_start', 'window_duration_minutes'],
    partitionColumns: ['window_date', 'window_duration_minutes'],
    sortColumns: ['device_id', 'window_start'],
    settlesAfterDays: 2,
    owner: 'data-engineering',
    service: {
      freshnessMinutes: 45,
      freshnessColumn: 'window_end',
      retentionDays: 396,
      completeness: { share: 0.99, of: 'devices with clean rows in the window' },
    },
    semantics: [
      'window_duration_minutes = window_end - window_start; windows are aligned to the UTC clock.',
      'No readings, no row: absence means offline, not normal (CON-18).',
      'min <= mean <= max, std >= 0; null only where the rules of CON-17 say so.',
      'Rows of 15 minutes never change; longer ones until is_final.',
    ],
  }
}

const baselineColumns = [
  required('feature_name', 'string', 'Column of device_features'),
  required('granularity', 'string', 'Scope', { values: ['fleet', 'cohort', 'device'] }),
  optional('cohort_id', 'string', 'Scope; null when wider'),
  optional('device_id', 'string', 'Scope; null when wider'),
  required('baseline_mean', 'double', 'Mean of non-null values'),
  required('baseline_std', 'double', 'Sample standard deviation'),
  required('baseline_p05', 'double', '5th percentile'),
  required('baseline_p25', 'double', '25th percentile'),
  required('baseline_p50', 'double', 'Median'),
  required('baseline_p75', 'double', '75th percentile'),
  required('baseline_p95', 'double', '95th percentile'),
  required('computed_at', 'timestamp', 'When computed'),
  required('training_window_start', 'timestamp', 'First window used'),
  required('training_window_end', 'timestamp', 'End of the last window used'),
  extension('window_duration_minutes', 'integer', 'Durations are never mixed'),
  extension('model_id', 'string', 'Model family the baseline belongs to'),
  extension('model_version', 'string', 'Model version the baseline belongs to'),
  extension('n_rows', 'long', 'Rows used'),
  extension('min', 'double', 'Smallest value'),
  extension('max', 'double', 'Largest value'),
  extension('mad', 'double', 'Median absolute deviation'),
  extension('null_fraction', 'double', 'Share of nulls'),
  extension('psi_edges', 'array<double>', 'Inner decile edges for PSI'),
  extension('psi_fractions', 'array<double>', 'Share of rows per PSI bin'),
  extension('quantiles', 'array<double>', '201 evenly spaced quantiles'),
] as const

/** Baseline statistics of the training window, CON-21 and FEA-61. */
export const featureBaselines = {
  name: 'feature_baselines',
  id: 'C3B',
  version: '1.0.0',
  purpose: 'What normal was in the training window, per feature and scope',
  columns: baselineColumns,
  key: ['feature_name', 'granularity', 'cohort_id', 'device_id', 'model_id', 'model_version'],
  partitionColumns: [],
  sortColumns: ['feature_name'],
  owner: 'ml-engineering',
  semantics: ['Computed from training rows only, anew at each training (CON-21).'],
} as const satisfies TableContract
