import type { ModelState } from '../model-file/model-file.ts'
import {
  invalidState,
  readFloats,
  readIndices,
  readInteger,
  readList,
  readLiteral,
  readNumber,
  readObject,
  rebuilt,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import type { CategoryCounts } from './category-counts.ts'
import { emptyQuantileSketch, type QuantileSketch, sketchLevels } from './quantile-sketch.ts'
import { emptyValueHistogram, type ValueHistogram } from './value-histogram.ts'

/**
 * Turns decoded data into a quantile sketch.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseQuantileSketch(value: ModelState): QuantileSketch {
  const state = readObject(value, 'quantile sketch')
  const kind = readLiteral(state, 'kind', ['quantile_sketch'])
  const stateVersion = readLiteral(state, 'stateVersion', [1])
  const capacity = readInteger(state, 'capacity', 8, 65_536)
  const levelSizes = readLevelSizes(state, capacity)
  const items = readFloats(
    state,
    'items',
    levelSizes.reduce((sum, size) => sum + size, 0),
  )
  const count = readInteger(state, 'count', 0)
  const weight = levelSizes.reduce((sum, size, l) => sum + size * 2 ** l, 0)
  if (weight !== count) throw invalidState('count', `${weight}, the weight of the items`, count)
  if (count === 0) return emptyQuantileSketch(capacity)
  const sketch = {
    kind,
    stateVersion,
    capacity,
    count,
    minimum: readNumber(state, 'minimum'),
    maximum: readNumber(state, 'maximum'),
    excess: readInteger(state, 'excess', 0, count),
    shortfall: readInteger(state, 'shortfall', 0, count),
    items,
    levelSizes,
  }
  for (const [l, level] of sketchLevels(sketch).entries()) {
    if (level.some((item, i) => i > 0 && item < level[i - 1]!)) {
      throw invalidState(`items of level ${l}`, 'ascending', 'a fall')
    }
  }
  if (items.some((item) => item < sketch.minimum || item > sketch.maximum)) {
    throw invalidState('items', 'between minimum and maximum', 'an item outside')
  }
  return sketch
}

/**
 * Turns decoded data into a histogram.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseValueHistogram(value: ModelState): ValueHistogram {
  const state = readObject(value, 'value histogram')
  const { edges } = state
  if (!(edges instanceof Float64Array)) throw invalidState('edges', 'a Float64Array', edges)
  return {
    kind: readLiteral(state, 'kind', ['value_histogram']),
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    edges: rebuilt('edges', () => emptyValueHistogram(edges)).edges,
    counts: readCounts(state, edges.length + 1),
    nullCount: readInteger(state, 'nullCount', 0),
  }
}

/**
 * Turns decoded data into counts of categories.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseCategoryCounts(value: ModelState): CategoryCounts {
  const state = readObject(value, 'category counts')
  const categories = readList(state, 'categories').map((category, i, all) => {
    const before = all[i - 1]
    if (typeof category === 'string' && (typeof before !== 'string' || category > before)) {
      return category
    }
    throw invalidState(`categories[${i}]`, 'a text after the one before', category)
  })
  return {
    kind: readLiteral(state, 'kind', ['category_counts']),
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    categories,
    counts: readCounts(state, categories.length),
    nullCount: readInteger(state, 'nullCount', 0),
  }
}

function readCounts(state: StateObject, length: number): Float64Array {
  const counts = readFloats(state, 'counts', length)
  if (!counts.every((count) => Number.isInteger(count) && count >= 0)) {
    throw invalidState('counts', 'integers ≥ 0', 'another value')
  }
  return counts
}

function readLevelSizes(state: StateObject, capacity: number): Uint32Array {
  const found = state.levelSizes
  // 2^40 values are more than any history holds; it bounds what a wrong file can claim.
  const levelCount = found instanceof Uint32Array ? Math.min(found.length, 40) : 0
  return readIndices(state, 'levelSizes', Uint32Array, levelCount, capacity + 1)
}
