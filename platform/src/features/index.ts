export {
  type FeatureValues,
  operatingMode,
  type WindowAccumulator,
  type WindowReading,
  type WindowState,
  windowAccumulator,
} from './algebra/live-window.ts'
export { computeRange, type RangeRequest } from './compute-range.ts'
export { featureVersion } from './feature-version.ts'
export { type FeatureInput, type FeatureOutcome, featureJob } from './job.ts'
export { completeUntilMs } from './positions.ts'
export { expectedReadings, type WindowRule, windowRules, windowStart } from './window-rules.ts'
