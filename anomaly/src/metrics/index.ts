export {
  type BootstrapInterval,
  type BootstrapOptions,
  bootstrapInterval,
} from './bootstrap-interval.ts'
export {
  type ConfusionCounts,
  confusionAt,
  fBetaOf,
  fBetaOfRates,
  precisionAtK,
  precisionOf,
  recallAtK,
  recallOf,
  type TopCountYield,
  yieldAtK,
} from './classification-metrics.ts'
export {
  type EventCounts,
  type EventOptions,
  type EventRates,
  eventCounts,
  eventRates,
  type LabelledEvent,
  mergeEventCounts,
} from './event-metrics.ts'
export {
  NAB_PROFILES,
  type NabProfile,
  type NabScore,
  type NabSeries,
  nabProbationaryRows,
  nabScore,
  type RowWindow,
  rowWindowsOfTimes,
} from './nab-score.ts'
export {
  brierScore,
  type CalibrationBin,
  type CalibrationError,
  calibrationError,
  logLoss,
} from './probability-metrics.ts'
export { auroc, averagePrecision, descendingOrder } from './ranking-metrics.ts'
