export {
  evaluateIsotonic,
  fitIsotonicRegression,
  type IsotonicOptions,
  type IsotonicRegression,
} from './isotonic-regression.ts'
export {
  type ClassTarget,
  fitLogisticRegression,
  type LogisticErrors,
  type LogisticOptions,
  type LogisticRegression,
  logisticMargins,
  logisticStandardErrors,
  predictLogisticRegression,
} from './logistic-regression.ts'
export { explainLogisticRegression, parseLogisticRegression } from './logistic-regression-kind.ts'
export { evaluatePlatt, fitPlattScaling, type PlattScaling } from './platt-scaling.ts'
export {
  calibrateProbabilities,
  fitProbabilityCalibration,
  type ProbabilityCalibration,
  type ProbabilityCalibrationOptions,
  parseProbabilityCalibration,
} from './probability-calibration.ts'
export {
  fitRidgeRegression,
  parseRidgeRegression,
  predictRidgeRegression,
  type RidgeOptions,
  type RidgeRegression,
} from './ridge-regression.ts'
