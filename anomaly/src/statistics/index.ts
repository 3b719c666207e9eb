export {
  type ColumnScaler,
  fitColumnScaler,
  type ScalerOptions,
  type ScalingMethod,
  scaleColumns,
} from './column-scaler.ts'
export {
  type ColumnStatistics,
  columnStatistics,
  type Moments,
  moments,
} from './column-statistics.ts'
export { quantile, quantileOfSorted, quantiles } from './quantile.ts'
export {
  createRandom,
  nextIndex,
  nextNormal,
  nextOpenUnit,
  nextUint32,
  RANDOM_ALGORITHM,
  type Random,
  sampleIndices,
  splitSeed,
} from './random.ts'
export type { Whitening } from './whitening.ts'
