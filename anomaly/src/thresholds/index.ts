export {
  type AlarmBudgetOptions,
  type AlarmBudgetThreshold,
  alarmBudgetThreshold,
} from './alarm-budget-threshold.ts'
export {
  ANCHOR_SCORES,
  type Calibration,
  calibrate,
  calibrateScores,
  fitCalibration,
  TOP_QUANTILE_MIN_ROWS,
  withContamination,
} from './calibration.ts'
export { parseCalibration } from './calibration-state.ts'
export {
  type ConformalThreshold,
  conformalPValues,
  conformalThreshold,
} from './conformal-threshold.ts'
export {
  type ExtremeValueOptions,
  type ExtremeValueThreshold,
  extremeValueThreshold,
} from './extreme-value-threshold.ts'
export {
  type FalseDiscoveryMethod,
  type FalseDiscoveryOptions,
  type FalseDiscoveryThreshold,
  falseDiscoveryThreshold,
} from './false-discovery-threshold.ts'
export {
  type PrecisionThreshold,
  type PrecisionThresholdOptions,
  precisionThreshold,
} from './precision-threshold.ts'
export { type QuantileThreshold, quantileThreshold } from './quantile-threshold.ts'
export { applyThreshold, type Threshold, thresholdCutoff, withLevel } from './threshold.ts'
export { parseThreshold } from './threshold-state.ts'
export { type TopCountThreshold, topCountThreshold } from './top-count-threshold.ts'
