import type { ModelState } from '../src/model-file/model-file.ts'
import { fitAdditiveForecast } from '../src/series/additive-forecast.ts'
import { fitSeasonalProfile } from '../src/series/seasonal-profile.ts'
import {
  parseAdditiveForecast,
  parseSeasonalProfile,
  parseStlResidual,
} from '../src/series/series-state.ts'
import { fitStlResidual } from '../src/series/stl-residual.ts'
import { type Adwin, emptyAdwin, updateAdwin } from '../src/streaming/adwin.ts'
import {
  type CusumChart,
  type EwmaChart,
  emptyCusumChart,
  emptyEwmaChart,
  updateCusumChart,
  updateEwmaChart,
} from '../src/streaming/control-chart.ts'
import {
  emptyHalfSpaceTrees,
  type HalfSpaceTrees,
  scoreHalfSpaceRow,
  updateHalfSpaceTrees,
} from '../src/streaming/half-space-trees.ts'
import {
  emptyPageHinkley,
  type PageHinkley,
  updatePageHinkley,
} from '../src/streaming/page-hinkley.ts'
import {
  emptySeriesDetector,
  type SeriesDetector,
  updateSeriesDetector,
} from '../src/streaming/series-detector.ts'
import { parseSeriesDetector } from '../src/streaming/series-detector-state.ts'
import {
  parseAdwin,
  parseCusumChart,
  parseEwmaChart,
  parseHalfSpaceTrees,
  parsePageHinkley,
} from '../src/streaming/streaming-state.ts'
import { normalMatrix } from './generated-tables.ts'

/** A live state, how it takes the n-th value of a series, and how it is read back. */
export type LiveState<State extends ModelState = ModelState> = {
  readonly name: string
  readonly empty: () => State
  /** Changes the state; returns the verdict. */
  readonly update: (state: State, value: number, n: number) => unknown
  readonly parse: (value: ModelState) => State
}

const process = { mean: 0, deviation: 1 } as const
const hourMs = 3_600_000

/** Every live state. A new one gets a line here. */
export const liveStates = [
  live<EwmaChart>('ewma-chart', () => emptyEwmaChart(process), updateEwmaChart, parseEwmaChart),
  live<CusumChart>(
    'cusum-chart',
    () => emptyCusumChart(process),
    updateCusumChart,
    parseCusumChart,
  ),
  live<PageHinkley>(
    'page-hinkley',
    () => emptyPageHinkley({ threshold: 5 }),
    updatePageHinkley,
    parsePageHinkley,
  ),
  live<Adwin>('adwin', () => emptyAdwin(), updateAdwin, parseAdwin),
  live<HalfSpaceTrees>(
    'half-space-trees',
    () => emptyHalfSpaceTrees({ treeCount: 3, height: 4, windowRows: 20, ranges: { c0: [-4, 4] } }),
    (trees, value) => {
      const row = [Math.max(-4, Math.min(4, value))]
      const score = scoreHalfSpaceRow(trees, row)
      updateHalfSpaceTrees(trees, row)
      return score
    },
    parseHalfSpaceTrees,
  ),
  live<SeriesDetector>(
    'series-detector',
    () => emptySeriesDetector({ intervalMs: hourMs, seasonMs: 8 * hourMs, warmUpRows: 20 }),
    (detector, value, n) => updateSeriesDetector(detector, n * hourMs, value),
    parseSeriesDetector,
  ),
]

/** Values of one series, the same on every machine, with a shift of the mean after 120. */
export const liveValues = normalMatrix(200, 1, 11).values.map((value, n) =>
  n < 120 ? value : value + 2,
)

/** Series models and live states that users store: a new one gets a line here. */
export function keptSeriesModels() {
  const times = Float64Array.from({ length: 72 }, (_, n) => n * hourMs)
  const values = liveValues.slice(0, 72)
  const seasons = [{ name: 'daily', periodMs: 24 * hourMs, order: 2 }]
  const holidays = [{ name: 'stocktaking', spans: [[0, 2 * hourMs]] }] as const
  return [
    {
      name: 'additive-forecast',
      fit: (): ModelState =>
        fitAdditiveForecast(times, values, {
          seasons,
          holidays,
          regressors: { outsideC: times.map((_, n) => n % 7) },
          changePointCount: 2,
        }),
      parse: parseAdditiveForecast,
    },
    {
      name: 'seasonal-profile',
      fit: (): ModelState => fitSeasonalProfile(times, values),
      parse: parseSeasonalProfile,
    },
    {
      name: 'stl-residual',
      fit: (): ModelState => fitStlResidual(values, { period: 8, seasonalDegree: 0 }),
      parse: parseStlResidual,
    },
    ...liveStates.map(({ name, empty, update, parse }) => ({
      name,
      fit: (): ModelState => {
        const state = empty()
        for (const [n, value] of liveValues.subarray(0, 100).entries()) update(state, value, n)
        return state
      },
      parse,
    })),
  ]
}

/** Hides the type of the state, which only its own functions need. */
function live<State extends ModelState>(
  name: string,
  empty: () => State,
  update: (state: State, value: number, n: number) => unknown,
  parse: (value: ModelState) => State,
): LiveState {
  return { name, empty, update: (state, value, n) => update(state as State, value, n), parse }
}
