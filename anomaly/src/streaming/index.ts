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
export { SERIES_STATISTICS, type SeriesStatistic } from './series-evidence.ts'
