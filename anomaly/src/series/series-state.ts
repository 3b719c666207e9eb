import type { ModelState } from '../model-file/model-file.ts'
import {
  invalidState,
  readBoolean,
  readFloats,
  readIndices,
  readInteger,
  readList,
  readLiteral,
  readNumber,
  readObject,
  readText,
  rebuilt,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import type { AdditiveDesign, FourierSeason, Holiday } from './additive-design.ts'
import type { AdditiveModel } from './additive-forecast.ts'
import type { SeasonalProfile } from './seasonal-profile.ts'
import { type StlOptions, stlSettings } from './stl-options.ts'
import type { StlResidualModel } from './stl-residual.ts'

/**
 * Turns decoded data into an additive forecast.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseAdditiveForecast(value: ModelState): AdditiveModel {
  const state = readObject(value, 'additive forecast')
  const design = additiveDesign(readObject(state.design, 'design'))
  return {
    kind: readLiteral(state, 'kind', ['additive_forecast']),
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    design,
    coefficients: readFloats(state, 'coefficients', design.columns.length),
    noiseHalfWidth: readPositive(state, 'noiseHalfWidth'),
    intervalWidth: readPositive(state, 'intervalWidth'),
    slopeChangeScale: readNumber(state, 'slopeChangeScale'),
  }
}

/**
 * Turns decoded data into a seasonal profile.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseSeasonalProfile(value: ModelState): SeasonalProfile {
  const state = readObject(value, 'seasonal profile')
  const slotCount = readInteger(state, 'slotCount', 1)
  const scales = readFloats(state, 'scales', slotCount)
  if (!scales.every((scale) => scale > 0)) throw invalidState('scales', '> 0', 'a smaller one')
  return {
    kind: readLiteral(state, 'kind', ['seasonal_profile']),
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    slotMs: readPositive(state, 'slotMs'),
    slotCount,
    offsetMs: readNumber(state, 'offsetMs'),
    centres: readFloats(state, 'centres', slotCount),
    scales,
    counts: readIndices(state, 'counts', Uint32Array, slotCount),
  }
}

/**
 * Turns decoded data into the history and settings of an STL residual.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseStlResidual(value: ModelState): StlResidualModel {
  const state = readObject(value, 'stl residual')
  const stored = readObject(state.settings, 'settings')
  const settings = rebuilt('settings', () =>
    stlSettings({
      ...(Object.fromEntries(
        stlCountNames.map((name) => [name, readInteger(stored, name, 0)]),
      ) as unknown as StlOptions),
      isRobust: readBoolean(stored, 'isRobust'),
    }),
  )
  const history = state.history
  if (!(history instanceof Float64Array) || history.length < 2 * settings.period) {
    throw invalidState('history', `a Float64Array of at least ${2 * settings.period}`, history)
  }
  return {
    kind: readLiteral(state, 'kind', ['stl_residual']),
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    settings,
    scaleFloor: readPositive(state, 'scaleFloor'),
    maxGap: readNumber(state, 'maxGap'),
    history,
  }
}

const stlCountNames = [
  'period',
  'seasonalSpan',
  'trendSpan',
  'lowPassSpan',
  'seasonalDegree',
  'trendDegree',
  'lowPassDegree',
  'seasonalJump',
  'trendJump',
  'lowPassJump',
  'innerRounds',
  'outerRounds',
] as const

function additiveDesign(state: StateObject): AdditiveDesign {
  const seasons = readList(state, 'seasons').map(fourierSeason)
  const holidays = readList(state, 'holidays').map(holiday)
  const regressorNames = readList(state, 'regressorNames').map((name) => {
    if (typeof name === 'string') return name
    throw invalidState('regressorNames', 'texts', name)
  })
  const { changePoints } = state
  if (!(changePoints instanceof Float64Array)) {
    throw invalidState('changePoints', 'a Float64Array', changePoints)
  }
  const columns = readList(state, 'columns').map((value, i) => {
    const column = readObject(value, `column ${i}`)
    return {
      component: readText(column, 'component'),
      priorScale: readPositive(column, 'priorScale'),
    }
  })
  const waves = seasons.reduce((sum, { order }) => sum + 2 * order, 0)
  const expected = 2 + changePoints.length + waves + holidays.length + regressorNames.length
  if (columns.length !== expected) {
    throw invalidState('columns', `a list of ${expected}`, columns.length)
  }
  return {
    startMs: readNumber(state, 'startMs'),
    spanMs: readPositive(state, 'spanMs'),
    changePoints: readFloats(state, 'changePoints', changePoints.length),
    seasons,
    holidays,
    regressorNames,
    regressorMeans: readFloats(state, 'regressorMeans', regressorNames.length),
    regressorScales: readFloats(state, 'regressorScales', regressorNames.length),
    columns,
  }
}

function fourierSeason(value: ModelState): FourierSeason {
  const state = readObject(value, 'season')
  return {
    name: readText(state, 'name'),
    periodMs: readPositive(state, 'periodMs'),
    order: readInteger(state, 'order', 1),
  }
}

function holiday(value: ModelState): Holiday {
  const state = readObject(value, 'holiday')
  const name = readText(state, 'name')
  const spans = readList(state, 'spans').map((span): readonly [number, number] => {
    const [start, end, ...rest]: readonly ModelState[] = Array.isArray(span) ? span : []
    if (typeof start === 'number' && typeof end === 'number' && rest.length === 0) {
      return [start, end]
    }
    throw invalidState(`spans of ${name}`, 'pairs of times', span)
  })
  return { name, spans }
}

function readPositive(state: StateObject, key: string): number {
  const value = readNumber(state, key)
  if (value > 0) return value
  throw invalidState(key, '> 0', value)
}
