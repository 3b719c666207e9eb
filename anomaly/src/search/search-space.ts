import { invalidOption } from '../errors.ts'

/** Values that one hyper-parameter may take. */
export type SearchDimension =
  /** Any number in [minimum, maximum]; `'log'` (both > 0) where factors matter, default `'linear'`. */
  | {
      readonly kind: 'float' | 'integer'
      readonly minimum: number
      readonly maximum: number
      readonly scale?: 'linear' | 'log'
    }
  /** One of a few values without order. */
  | { readonly kind: 'choice'; readonly values: readonly (string | number | boolean)[] }

/** Hyper-parameters by name. */
export type SearchSpace = Readonly<Record<string, SearchDimension>>

/** Value that a dimension yields. */
type ValueOf<Dimension> = Dimension extends {
  readonly kind: 'choice'
  readonly values: readonly (infer Value)[]
}
  ? Value
  : number

/** One value per hyper-parameter of a space, typed by its dimension. */
export type ParametersOf<Space extends SearchSpace> = {
  readonly [Name in keyof Space]: ValueOf<Space[Name]>
}

/** Refuses an empty space, ranges that are none, and choices without a choice. */
export function requireSpace(space: SearchSpace): void {
  const entries = Object.entries(space)
  if (entries.length === 0) throw invalidOption('space', 'at least one dimension', 'empty')
  for (const [name, dimension] of entries) {
    if (dimension.kind === 'choice') {
      const { values } = dimension
      if (values.length < 1 || new Set(values).size !== values.length) {
        throw invalidOption(`space.${name}.values`, 'distinct values, at least one', values.length)
      }
      continue
    }
    const { minimum, maximum, scale = 'linear', kind } = dimension
    const isRange = Number.isFinite(minimum) && Number.isFinite(maximum) && minimum <= maximum
    const isWhole = kind === 'float' || (Number.isInteger(minimum) && Number.isInteger(maximum))
    if (!isRange || !isWhole || (scale === 'log' && minimum <= 0)) {
      const expected = 'minimum ≤ maximum, whole for integers, above 0 on a log scale'
      throw invalidOption(`space.${name}`, expected, `[${minimum}, ${maximum}]`)
    }
  }
}

/** Coordinates of a space: one per number, one per value of a choice. */
export function coordinateCount(space: SearchSpace): number {
  let count = 0
  for (const dimension of Object.values(space)) count += widthOf(dimension)
  return count
}

/**
 * Parameters as a point of the unit cube; a choice takes one coordinate per value, 1 for the value
 * taken. Equal parameters have equal points, so that a model over points sees what is evaluated
 * (Garrido-Merchán & Hernández-Lobato 2020).
 */
export function encodeParameters<Space extends SearchSpace>(
  space: Space,
  parameters: ParametersOf<Space>,
): Float64Array {
  const point = new Float64Array(coordinateCount(space))
  let at = 0
  for (const [name, dimension] of dimensionsOf(space)) {
    const value = parameters[name]
    if (dimension.kind === 'choice') {
      const values: readonly unknown[] = dimension.values
      const chosen = values.indexOf(value)
      if (chosen < 0) throw invalidOption(name, `one of ${dimension.values.join(', ')}`, value)
      point[at + chosen] = 1
    } else {
      point[at] = positionOf(dimension, requireNumber(name, dimension, value))
    }
    at += widthOf(dimension)
  }
  return point
}

/** Parameters at a point of the unit cube: integers rounded, the largest coordinate of a choice. */
export function decodePoint<Space extends SearchSpace>(
  space: Space,
  point: Float64Array,
): ParametersOf<Space> {
  let at = 0
  const parameters = Object.fromEntries(
    dimensionsOf(space).map(([name, dimension]) => {
      const start = at
      at += widthOf(dimension)
      if (dimension.kind !== 'choice') return [name, numberAt(dimension, point[start]!)]
      let chosen = start
      for (let i = start; i < at; i++) if (point[i]! > point[chosen]!) chosen = i
      return [name, dimension.values[chosen - start]]
    }),
  )
  // Every name of the space has just been given a value of its dimension.
  return parameters as ParametersOf<Space>
}

type NumberDimension = Exclude<SearchDimension, { readonly kind: 'choice' }>

/** Dimensions by name, so that the order in which a space was written or stored means nothing. */
function dimensionsOf(space: SearchSpace): [string, SearchDimension][] {
  return Object.entries(space).sort(([a], [b]) => (a < b ? -1 : 1))
}

function widthOf(dimension: SearchDimension): number {
  return dimension.kind === 'choice' ? dimension.values.length : 1
}

function positionOf({ minimum, maximum, scale }: NumberDimension, value: number): number {
  if (minimum === maximum) return 0
  return scale === 'log'
    ? Math.log(value / minimum) / Math.log(maximum / minimum)
    : (value - minimum) / (maximum - minimum)
}

function numberAt({ kind, minimum, maximum, scale }: NumberDimension, position: number): number {
  const raw =
    scale === 'log'
      ? minimum * Math.exp(position * Math.log(maximum / minimum))
      : minimum + position * (maximum - minimum)
  const value = kind === 'integer' ? Math.round(raw) : raw
  return Math.min(maximum, Math.max(minimum, value))
}

function requireNumber(name: string, dimension: NumberDimension, value: unknown): number {
  const { kind, minimum, maximum } = dimension
  const isInside = typeof value === 'number' && value >= minimum && value <= maximum
  if (isInside && (kind === 'float' || Number.isInteger(value))) return value
  throw invalidOption(name, `${kind} in [${minimum}, ${maximum}]`, value)
}
