export { type Dialect, duckdbDialect, sparkDialect } from './algebra/dialect.ts'
export { featureQuery } from './algebra/feature-query.ts'
export {
  type FeatureSheet,
  featureSheet,
  featureSheets,
  featureSqlTexts,
} from './algebra/feature-sheet.ts'
export { type LiveRow, liveRowFeatures } from './algebra/live-row.ts'
export { liveSeriesFeature } from './algebra/live-series.ts'
export {
  type FeatureValues,
  operatingMode,
  type WindowAccumulator,
  type WindowReading,
  type WindowState,
  windowAccumulator,
} from './algebra/live-window.ts'
export { modelFeatureFamilies } from './algebra/model-features.ts'
export { type RowSelection, type RowSources, rowFeaturesQuery } from './algebra/row-query.ts'
export { type SeriesSelection, seriesQuery } from './algebra/series-query.ts'
export { type SumSelection, windowSumsQuery } from './algebra/window-sums.ts'
export { cohortTable, createCohorts } from './cohorts.ts'
export { computeRange, type RangeRequest } from './compute-range.ts'
export {
  type FeatureDistribution,
  type FeatureSpread,
  featureDistribution,
} from './feature-distribution.ts'
export { featureVersion } from './feature-version.ts'
export { type FeatureInput, type FeatureOutcome, featureJob } from './job.ts'
export { type PeerDrift, type PeerDriftRequest, peerDrift } from './peer-drift.ts'
export { completeUntilMs } from './positions.ts'
export { expectedReadings, type WindowRule, windowRules, windowStart } from './window-rules.ts'
