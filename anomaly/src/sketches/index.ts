export {
  type CategoryCounts,
  emptyCategoryCounts,
  mergeCategoryCounts,
  updateCategoryCounts,
} from './category-counts.ts'
export {
  emptyQuantileSketch,
  mergeQuantileSketches,
  type QuantileSketch,
  quantileSketchOfSorted,
  rankErrorBound,
  updateQuantileSketch,
} from './quantile-sketch.ts'
export { parseCategoryCounts, parseQuantileSketch, parseValueHistogram } from './sketch-state.ts'
export {
  emptyValueHistogram,
  equalEdges,
  mergeValueHistograms,
  updateValueHistogram,
  type ValueHistogram,
} from './value-histogram.ts'
export { sortValues } from './value-sort.ts'
export {
  type WeightedValues,
  weightedQuantile,
  weightedRank,
  weightedValuesOfSketch,
  weightedValuesOfSorted,
} from './weighted-values.ts'
