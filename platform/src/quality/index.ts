export { createBatchGates } from './batch-gates.ts'
export { summaryJob } from './daily-summary.ts'
export {
  type DistributionInput,
  type DistributionShift,
  distributionJob,
  distributionResults,
} from './distribution-job.ts'
export { type Dropout, type DropoutOutcome, dropoutJob } from './dropout-job.ts'
export type { Expectation, GateChange, GateChanges, GateSeverity } from './expectation.ts'
export { allExpectations, expectationsOf } from './expectations.ts'
export { faultySensors, type SensorList } from './faulty-sensors.ts'
export {
  type GateActor,
  type GateDecision,
  type GateEntry,
  type GateHold,
  type GateLedger,
  type GateResult,
  type GateScope,
  gateDecisions,
  gateKey,
} from './gate-entry.ts'
export { type JudgeInput, type JudgeOutcome, judgeJob } from './judge-job.ts'
export {
  type PartFigures,
  type QualityReport,
  qualityReport,
  type SensorFigures,
} from './report.ts'
export { reportHtml } from './report-html.ts'
export { gradeSensor, type SensorFault, type SensorGrade } from './sensor-grade.ts'
export { type FaultySensor, type SensorInput, sensorJob } from './sensor-job.ts'
export { type SeriesFigures, type SeriesOptions, seriesFigures } from './sensor-series.ts'
export { discardWaiting, waitingCounts } from './waiting-rows.ts'
