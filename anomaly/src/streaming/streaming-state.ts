import type { ModelState } from '../model-file/model-file.ts'
import {
  invalidState,
  readBoolean,
  readColumnNames,
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
import { type Adwin, emptyAdwin } from './adwin.ts'
import {
  type CusumChart,
  type EwmaChart,
  emptyCusumChart,
  emptyEwmaChart,
} from './control-chart.ts'
import type { HalfSpaceTrees } from './half-space-trees.ts'
import { emptyPageHinkley, type PageHinkley } from './page-hinkley.ts'

/**
 * Turns decoded data into an EWMA chart that goes on where it stopped.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseEwmaChart(value: ModelState): EwmaChart {
  const state = readObject(value, 'ewma chart')
  readLiteral(state, 'kind', ['ewma_chart'])
  const chart = rebuilt('options', () => emptyEwmaChart(readNumbers(state, ewmaOptionNames)))
  chart.average = readNumber(state, 'average')
  chart.valueCount = readInteger(state, 'valueCount', 0)
  return chart
}

/**
 * Turns decoded data into a CUSUM chart that goes on where it stopped.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseCusumChart(value: ModelState): CusumChart {
  const state = readObject(value, 'cusum chart')
  readLiteral(state, 'kind', ['cusum_chart'])
  const chart = rebuilt('options', () => emptyCusumChart(readNumbers(state, cusumOptionNames)))
  chart.high = readNumber(state, 'high')
  chart.low = readNumber(state, 'low')
  chart.highCount = readInteger(state, 'highCount', 0)
  chart.lowCount = readInteger(state, 'lowCount', 0)
  return chart
}

/**
 * Turns decoded data into a Page-Hinkley test that goes on where it stopped.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parsePageHinkley(value: ModelState): PageHinkley {
  const state = readObject(value, 'page-hinkley test')
  readLiteral(state, 'kind', ['page_hinkley'])
  const direction = readLiteral(readObject(state.options, 'options'), 'direction', [
    'up',
    'down',
    'both',
  ])
  const numbers = readNumbers(state, pageHinkleyOptionNames)
  const test = rebuilt('options', () => emptyPageHinkley({ ...numbers, direction }))
  test.valueCount = readInteger(state, 'valueCount', 0)
  test.isChanged = readBoolean(state, 'isChanged')
  for (const name of ['mean', 'sumUp', 'sumDown', 'lowest', 'highest'] as const) {
    test[name] = readNumber(state, name)
  }
  return test
}

/**
 * Turns decoded data into an adaptive window that goes on where it stopped.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseAdwin(value: ModelState): Adwin {
  const state = readObject(value, 'adaptive window')
  readLiteral(state, 'kind', ['adwin'])
  const afterChange = readLiteral(readObject(state.options, 'options'), 'afterChange', [
    'keep',
    'restart',
  ])
  const numbers = readNumbers(state, adwinOptionNames)
  const window = rebuilt('options', () => emptyAdwin({ ...numbers, afterChange }))
  const rows = readList(state, 'rows').map((row, level) => bucketRow(row, level))
  const width = rows.reduce((sum, { sums }, level) => sum + sums.length * 2 ** level, 0)
  if (rows.length === 0) throw invalidState('rows', 'at least one row of buckets', 'none')
  if (readInteger(state, 'width', 0) !== width) {
    throw invalidState('width', `${width}, as its buckets hold`, state.width)
  }
  window.rows.splice(0, window.rows.length, ...rows)
  window.width = width
  window.sum = readNumber(state, 'sum')
  window.squares = readNumber(state, 'squares')
  window.valueCount = readInteger(state, 'valueCount', 0)
  window.changeCount = readInteger(state, 'changeCount', 0)
  window.isChanged = readBoolean(state, 'isChanged')
  return window
}

/**
 * Turns decoded data into half-space trees that go on where they stopped.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseHalfSpaceTrees(value: ModelState): HalfSpaceTrees {
  const state = readObject(value, 'half-space trees')
  const columnNames = readColumnNames(state)
  const treeCount = readInteger(state, 'treeCount', 1)
  const height = readInteger(state, 'height', 1, 15)
  const splitCount = treeCount * (2 ** height - 1)
  const nodeCount = treeCount * (2 ** (height + 1) - 1)
  return {
    kind: readLiteral(state, 'kind', ['half_space_trees']),
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    treeCount,
    height,
    windowRows: readInteger(state, 'windowRows', 1),
    seed: readInteger(state, 'seed', 0),
    splitColumns: readIndices(state, 'splitColumns', Uint16Array, splitCount, columnNames.length),
    splitThresholds: readFloats(state, 'splitThresholds', splitCount),
    referenceMasses: readIndices(state, 'referenceMasses', Uint32Array, nodeCount),
    runningMasses: readIndices(state, 'runningMasses', Uint32Array, nodeCount),
    rowCount: readInteger(state, 'rowCount', 0),
  }
}

const ewmaOptionNames = ['mean', 'deviation', 'weight', 'limit'] as const
const cusumOptionNames = ['mean', 'deviation', 'slack', 'limit'] as const
const pageHinkleyOptionNames = ['minValues', 'tolerance', 'threshold', 'retention'] as const
const adwinOptionNames = [
  'confidence',
  'checkEvery',
  'maxBuckets',
  'minPartLength',
  'gracePeriod',
] as const

/** The named numbers of the state's options. */
function readNumbers<Name extends string>(
  state: StateObject,
  names: readonly Name[],
): Readonly<Record<Name, number>> {
  const options = readObject(state.options, 'options')
  return Object.fromEntries(names.map((name) => [name, readNumber(options, name)])) as Readonly<
    Record<Name, number>
  >
}

function bucketRow(value: ModelState, level: number): { sums: number[]; squares: number[] } {
  const state = readObject(value, `row ${level}`)
  const numbers = (key: string): number[] =>
    readList(state, key).map((item) => {
      if (typeof item === 'number' && Number.isFinite(item)) return item
      throw invalidState(`${key} of row ${level}`, 'finite numbers', item)
    })
  const sums = numbers('sums')
  const squares = numbers('squares')
  if (sums.length !== squares.length) {
    throw invalidState(`squares of row ${level}`, `${sums.length} of them`, squares.length)
  }
  return { sums, squares }
}
