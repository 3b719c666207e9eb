export { type ChiSquareOptions, type ChiSquareResult, chiSquare } from './chi-square.ts'
export { jensenShannon, type KullbackLeibler, kullbackLeibler } from './divergence.ts'
export {
  type DriftColumn,
  type DriftReference,
  type DriftReferenceOptions,
  driftReference,
  mergeDriftReferences,
  type RowDependence,
} from './drift-reference.ts'
export {
  type BeforeAndNow,
  type ColumnDrift,
  type DriftReport,
  type DriftReportOptions,
  driftReport,
} from './drift-report.ts'
export { parseDriftReference } from './drift-state.ts'
export { effectiveCount } from './effective-count.ts'
export {
  type KolmogorovSmirnovResult,
  kolmogorovSmirnov,
  kolmogorovSmirnovColumns,
  kolmogorovSmirnovOfSorted,
  kolmogorovSmirnovSorted,
  kolmogorovSmirnovWeighted,
  sortedColumns,
} from './kolmogorov-smirnov.ts'
export {
  type MeanDiscrepancyOptions,
  type MeanDiscrepancyResult,
  maximumMeanDiscrepancy,
} from './mean-discrepancy.ts'
export { adjustPValues, type PValueAdjustment } from './multiple-testing.ts'
export {
  type PsiReference,
  type PsiResult,
  psi,
  psiColumns,
  psiOfFractions,
  psiReference,
  psiReferenceOfWeighted,
  psiReferences,
} from './psi.ts'
export type { PsiBins } from './psi-bins.ts'
export { wassersteinDistance, wassersteinSorted, wassersteinWeighted } from './wasserstein.ts'
