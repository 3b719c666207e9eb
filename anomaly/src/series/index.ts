export {
  explainRegressionLof,
  fitRegressionLof,
  type RegressionLof,
  type RegressionLofOptions,
  scoreRegressionLof,
} from './regression-lof.ts'
export {
  explainRegressionResidual,
  fitRegressionResidual,
  type RegressionResidual,
  type RegressionResidualOptions,
  scoreRegressionResidual,
} from './regression-residual.ts'
export { decomposeStl, type StlDecomposition } from './stl.ts'
export type { StlOptions, StlSettings } from './stl-options.ts'
export { type StlPlan, stlPlan } from './stl-plan.ts'
