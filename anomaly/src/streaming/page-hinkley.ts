import { AnomalyError, invalidOption } from '../errors.ts'

/** Options of the Page-Hinkley test; defaults and names in brackets are River's. */
export type PageHinkleyOptions = {
  /** Values before the first verdict, default 30 [`min_instances`]. */
  readonly minValues?: number
  /** Change of the mean that is tolerated, in the value's unit; default 0.005 [`delta`]. */
  readonly tolerance?: number
  /** Summed deviation that is a change, in the value's unit; default 50 [`threshold`]. */
  readonly threshold?: number
  /** Weight that the sum so far keeps at each value, default 0.9999 [`alpha`]. */
  readonly retention?: number
  /** Default `both` [`mode`]. */
  readonly direction?: 'up' | 'down' | 'both'
}

/** State of the Page-Hinkley test. Plain data. */
export type PageHinkley = {
  readonly kind: 'page_hinkley'
  readonly options: Required<PageHinkleyOptions>
  valueCount: number
  mean: number
  sumUp: number
  sumDown: number
  lowest: number
  highest: number
  isChanged: boolean
}

/**
 * A test that has seen nothing.
 * @throws INVALID_OPTION
 */
export function emptyPageHinkley(options: PageHinkleyOptions = {}): PageHinkley {
  const { minValues = 30, tolerance = 0.005, threshold = 50 } = options
  const { retention = 1 - 0.0001, direction = 'both' } = options
  if (!(threshold > 0)) throw invalidOption('threshold', '> 0', threshold)
  if (!(retention > 0 && retention <= 1)) throw invalidOption('retention', 'in (0, 1]', retention)
  const state: PageHinkley = {
    kind: 'page_hinkley',
    options: { minValues, tolerance, threshold, retention, direction },
    valueCount: 0,
    mean: 0,
    sumUp: 0,
    sumDown: 0,
    lowest: 0,
    highest: 0,
    isChanged: false,
  }
  restart(state)
  return state
}

/**
 * Adds a value; after a change the test starts anew.
 * @returns true if the mean has changed since the test began
 * @throws NOT_FINITE
 * Cost O(1). Source: Page 1954, Hinkley 1971; equal to River's `PageHinkley`.
 */
export function updatePageHinkley(state: PageHinkley, value: number): boolean {
  if (!Number.isFinite(value)) {
    throw new AnomalyError(
      'NOT_FINITE',
      `page-hinkley: value is ${value}, expected a finite number`,
      { found: value },
    )
  }
  if (state.isChanged) restart(state)
  const { minValues, tolerance, threshold, retention, direction } = state.options
  state.valueCount += 1
  state.mean += (value - state.mean) / state.valueCount
  const deviation = value - state.mean
  state.sumUp = retention * state.sumUp + deviation - tolerance
  state.sumDown = retention * state.sumDown + deviation + tolerance
  state.lowest = Math.min(state.lowest, state.sumUp)
  state.highest = Math.max(state.highest, state.sumDown)
  const isUp = direction !== 'down' && state.sumUp - state.lowest > threshold
  const isDown = direction !== 'up' && state.highest - state.sumDown > threshold
  state.isChanged = state.valueCount >= minValues && (isUp || isDown)
  return state.isChanged
}

function restart(state: PageHinkley): void {
  state.valueCount = 0
  state.mean = 0
  state.sumUp = 0
  state.sumDown = 0
  state.lowest = Number.POSITIVE_INFINITY
  // River starts this extreme at −1, not at −∞; kept, so that changes fall on the same values.
  state.highest = -1
  state.isChanged = false
}
