export { type AppendedColumn, appendColumns } from './append-columns.ts'
export { FLAG_THRESHOLD, type Granularity, type ModelArtifact } from './artifact.ts'
export { type DeploymentRole, type DeploymentRow, type ModelStage, stageOf } from './deployments.ts'
export { explainRows, type RowExplanation, type ScoreContributor } from './explain-rows.ts'
export {
  type CarriedValues,
  type FeatureRows,
  type FleetDevice,
  rowsWhere,
  selectFeatureRows,
} from './feature-rows.ts'
export {
  type FeatureSource,
  featureSource,
  type WindowRange,
  windowsIn,
} from './feature-source.ts'
export { type FitOptions, type FitOutcome, fitArtifact } from './fit-artifact.ts'
export { type TrainedModel, type TrainOptions, type TrainOutcome, trainModels } from './job.ts'
export type { ModelKey, ModelManifest } from './model-manifest.ts'
export { type ModelRegistry, openModelRegistry, type RegisteredModel } from './model-registry.ts'
export { type ModelThreads, startModelThreads } from './model-threads.ts'
export { requireLiveFeatures } from './publish-gate.ts'
export { type FeatureRowsRequest, readFeatureRows } from './read-feature-rows.ts'
export { granularities, type RowScores, scoreRows } from './score-rows.ts'
export { cohortsOf, readStaged, type StagedFeatures, stageFeatures } from './stage-features.ts'
export type { ExcludedSpan } from './training-rows.ts'
