export type { FourierSeason, Holiday, Regressors } from './additive-design.ts'
export {
  type AdditiveModel,
  type AdditiveOptions,
  fitAdditiveForecast,
} from './additive-forecast.ts'
export { type AdditiveForecast, forecastAdditive, scoreAdditive } from './additive-predict.ts'
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
export { type RollingOptions, rollingZScores } from './rolling-z-score.ts'
export {
  fitSeasonalProfile,
  type ProfileOptions,
  profileSlot,
  type SeasonalProfile,
  scoreSeasonalProfile,
} from './seasonal-profile.ts'
export { parseAdditiveForecast, parseSeasonalProfile, parseStlResidual } from './series-state.ts'
export { decomposeStl, type StlDecomposition } from './stl.ts'
export type { StlOptions, StlSettings } from './stl-options.ts'
export { type StlPlan, stlPlan } from './stl-plan.ts'
export {
  fitStlResidual,
  type StlResidualModel,
  type StlResidualOptions,
  type StlResidualScores,
  scoreStlResidual,
} from './stl-residual.ts'
