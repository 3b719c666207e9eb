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
  auroc,
  averagePrecision,
  descendingOrder,
  precisionAtK,
} from './ranking-metrics.ts'
