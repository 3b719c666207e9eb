export {
  copyGroupStatistics,
  emptyGroupStatistics,
  fitGroupStatistics,
  type GroupStatistics,
  type ScaleFloors,
  UNKNOWN_GROUP,
} from './group-statistics.ts'
export {
  assembleRobustBaseline,
  BASELINE_SCOPES,
  type BaselineParts,
  countDevices,
  fitRobustBaseline,
  type RobustBaseline,
  type RobustBaselineOptions,
  type RowGroups,
} from './robust-baseline.ts'
export {
  type BaselineScores,
  explainRobustBaseline,
  scoreRobustBaseline,
} from './robust-baseline-score.ts'
export {
  explainRobustZScore,
  fitRobustZScore,
  type RobustZScoreModel,
  type RobustZScoreOptions,
  scoreRobustZScore,
} from './robust-z-score.ts'
export {
  fitShrunkBaseline,
  type ShrinkageOptions,
  type ShrunkBaseline,
  shrinkBaseline,
} from './shrunk-baseline.ts'
