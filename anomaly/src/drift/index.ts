export { type ChiSquareOptions, type ChiSquareResult, chiSquare } from './chi-square.ts'
export { jensenShannon, type KullbackLeibler, kullbackLeibler } from './divergence.ts'
export {
  type KolmogorovSmirnovResult,
  kolmogorovSmirnov,
  kolmogorovSmirnovColumns,
  kolmogorovSmirnovOfSorted,
  kolmogorovSmirnovSorted,
  kolmogorovSmirnovWeighted,
  sortedColumns,
} from './kolmogorov-smirnov.ts'
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
