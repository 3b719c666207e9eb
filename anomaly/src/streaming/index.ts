export { type Adwin, type AdwinOptions, emptyAdwin, finishAdwin, updateAdwin } from './adwin.ts'
export {
  type CusumChart,
  type CusumOptions,
  type EwmaChart,
  type EwmaOptions,
  emptyCusumChart,
  emptyEwmaChart,
  type ProcessInControl,
  updateCusumChart,
  updateEwmaChart,
} from './control-chart.ts'
export {
  emptyHalfSpaceTrees,
  type HalfSpaceOptions,
  type HalfSpaceTrees,
  scoreHalfSpaceRow,
  updateHalfSpaceTrees,
} from './half-space-trees.ts'
export {
  emptyPageHinkley,
  type PageHinkley,
  type PageHinkleyOptions,
  updatePageHinkley,
} from './page-hinkley.ts'
export {
  emptySeriesDetector,
  type SeriesDetector,
  type SeriesDetectorOptions,
  type SeriesVerdict,
  scoreSeries,
  seriesScratch,
  silentIntervalsAt,
  updateSeriesDetector,
  usualIntervalMs,
} from './series-detector.ts'
export { parseSeriesDetector } from './series-detector-state.ts'
export { SERIES_STATISTICS, type SeriesStatistic } from './series-evidence.ts'
export {
  parseAdwin,
  parseCusumChart,
  parseEwmaChart,
  parseHalfSpaceTrees,
  parsePageHinkley,
} from './streaming-state.ts'
