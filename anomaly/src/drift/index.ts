export {
  type KolmogorovSmirnovResult,
  kolmogorovSmirnov,
  kolmogorovSmirnovSorted,
} from './kolmogorov-smirnov.ts'
export {
  type PsiBins,
  type PsiReference,
  type PsiResult,
  psi,
  psiOfFractions,
  psiReference,
} from './psi.ts'
