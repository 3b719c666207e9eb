import { optional, required, type TableContract } from '../column.ts'

/** What each day's clean rows looked like, CON-49; counts add up over rows of one key. */
export const dailySummary = {
  name: 'data_quality_daily_summary',
  id: 'QS',
  version: '1.0.0',
  purpose: 'Readings, flags and nulls per day, site and firmware; rows of one key are summed',
  columns: [
    required('date', 'string', 'UTC date of the readings'),
    optional('site_id', 'string', 'Site; null for devices no longer registered'),
    optional('firmware_version', 'string', 'Firmware; empty when not known'),
    required('measure', 'string', 'readings, flag:NAME, null:SENSOR, or dropout:STATE'),
    required('row_count', 'long', 'Clean rows it holds for; of dropouts, device-hours'),
  ],
  key: ['date', 'site_id', 'firmware_version', 'measure'],
  partitionColumns: [],
  sortColumns: ['date', 'site_id'],
} as const satisfies TableContract

/** What each batch of an hour or a day looked like beside the weeks before, ING-54. */
export const ingestionDistribution = {
  name: 'ingestion_distribution_stats',
  id: 'QD',
  version: '1.0.0',
  purpose: 'Distribution of each sensor per batch and segment against 30 days before; advisory',
  columns: [
    required('computed_at', 'timestamp', 'When it was computed'),
    required('batch_start', 'timestamp', 'Start of the batch by arrival, inclusive'),
    required('batch_end', 'timestamp', 'End of the batch, exclusive'),
    required('granularity', 'string', 'Length of the batch', { values: ['hour', 'day'] }),
    required('segment_type', 'string', 'What the segment is', {
      values: ['fleet', 'region', 'firmware', 'model'],
    }),
    required('segment_value', 'string', 'Which one'),
    required('sensor_name', 'string', 'Sensor'),
    required('n', 'long', 'Values in the batch'),
    required('null_rate', 'double', 'Share of rows without a value', { range: [0, 1] }),
    optional('mean', 'double', 'Mean; of a boolean the share of true'),
    optional('std', 'double', 'Standard deviation'),
    optional('p05', 'double', '5th percentile'),
    optional('p50', 'double', 'Median'),
    optional('p95', 'double', '95th percentile'),
    optional('baseline_mean', 'double', 'Mean of the batch means of 30 days'),
    optional('baseline_mean_std', 'double', 'Standard deviation of those means'),
    optional('baseline_p01', 'double', '1st percentile of the 30 days'),
    optional('baseline_p99', 'double', '99th percentile of the 30 days'),
    optional('deviation_sigma', 'double', 'Distance of the mean in those standard deviations'),
    required('shift_detected', 'boolean', 'The batch lies outside the weeks before'),
    required('status', 'string', 'What it means', { values: ['ok', 'shift', 'insufficient_data'] }),
    optional('p01', 'double', '1st percentile'),
    optional('p99', 'double', '99th percentile'),
  ],
  key: ['batch_start', 'granularity', 'segment_type', 'segment_value', 'sensor_name'],
  partitionColumns: [],
  sortColumns: ['batch_start', 'sensor_name'],
} as const satisfies TableContract

/** Sensors that do not measure as they should, CON-43 and CON-44. */
export const sensorHealth = {
  name: 'sensor_health',
  id: 'QH',
  version: '1.0.0',
  purpose: 'Grade of each sensor that is weak or dead, with the reason; usable ones have no row',
  columns: [
    required('graded_at', 'timestamp', 'End of the stretch that was looked at'),
    required('device_id', 'string', 'Device'),
    required('sensor_name', 'string', 'Sensor, or * for the whole device'),
    required('grade', 'string', 'How far it can be used', { values: ['weak', 'dead'] }),
    required('reason', 'string', 'The worst fault', {
      values: ['DROPOUT', 'STUCK', 'OUT_OF_RANGE', 'GAPS', 'JUMPS', 'DRIFT', 'FROZEN_PAYLOAD'],
    }),
    required('detail', 'string', 'The reason in numbers'),
    required('share', 'double', 'Share of the stretch at fault', { range: [0, 1] }),
    required('row_count', 'long', 'Rows of the device in the stretch'),
  ],
  key: ['graded_at', 'device_id', 'sensor_name'],
  partitionColumns: [],
  sortColumns: ['graded_at', 'device_id'],
} as const satisfies TableContract
