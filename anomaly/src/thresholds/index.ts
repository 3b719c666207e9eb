export {
  ANCHOR_SCORES,
  type Calibration,
  calibrate,
  calibrateScores,
  fitCalibration,
  TOP_QUANTILE_MIN_ROWS,
  withContamination,
} from './calibration.ts'
export { parseCalibration } from './calibration-state.ts'
