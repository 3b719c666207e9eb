export { type AlertCopyOutcome, alertCopyJob } from './alert-copy.ts'
export { type ContractFinding, contractFindings } from './contract-diagnosis.ts'
export {
  type ContractImport,
  importContract,
  importedContracts,
  readContractFile,
} from './contract-folder.ts'
export { type DataFolder, fleetOfFolder } from './data-folder.ts'
export {
  type DayEvaluation,
  type DayVerdict,
  evaluateDays,
  type LabelledDay,
} from './day-evaluation.ts'
export {
  type DeadLetter,
  type DeadLetterCount,
  type DeadLetterFilter,
  type DeadLetters,
  openDeadLetters,
  type ReplayItem,
  type ReplayResult,
} from './dead-letters.ts'
export {
  type Deployment,
  type DeploymentOptions,
  defineDeployment,
  openDeployment,
} from './deployment.ts'
export { developmentCertificate, type ServerCertificate } from './development-certificate.ts'
export { diagnose } from './diagnosis/diagnose.ts'
export type { DiagnosisOptions, Finding } from './diagnosis/finding.ts'
export { requireDiskRoom } from './disk-room.ts'
export { type FeatureCare, type FeatureHealth, openFeatureCare } from './feature-care.ts'
export type { LogFinding, LogWatch } from './log-watch.ts'
export { type MetricMeaning, metricCatalogue } from './metric-catalogue.ts'
export { metricsText, readMetrics, type Sample } from './metrics-text.ts'
export { type Operation, type OperationOptions, startOperation } from './operation.ts'
export {
  type PipelineOptions,
  type PipelineOutcome,
  runPipeline,
  type StageName,
  stageNames,
} from './pipeline.ts'
export { openQuality, type Quality } from './quality.ts'
export { type RecentMessages, rememberRecent } from './recent-messages.ts'
export { type ReplayOptions, type ReplayOutcome, replayPipeline } from './replay.ts'
export { replayIntoSandbox, type SandboxOptions, type SandboxOutcome } from './sandbox.ts'
export {
  readServerMarker,
  removeServerMarker,
  type ServerMarker,
  writeServerMarker,
} from './server-marker.ts'
export { type ServerMetrics, serverMetrics } from './server-metrics.ts'
export { createStageClock, type StageClock, type StageHealth } from './stage-clock.ts'
export { type TrainingOptions, trainDeployment } from './training.ts'
