import {
  type Aggregate,
  type FleetDefinition,
  featureColumns,
  type Sensor,
  unreachable,
  type WindowFormula,
} from '../../contracts/index.ts'
import { valueGrid } from '../value-grid.ts'
import {
  atMost,
  column,
  count,
  decimal,
  integer,
  minus,
  moment,
  onlyIf,
  over,
  real,
  root,
  type Term,
  times,
} from './term.ts'

/** One stored feature as a term; `isDerived` reads columns that come before it. */
export type WindowFeature = {
  readonly name: string
  readonly term: Term
  readonly isDerived: boolean
}

const minuteMs = 60_000

/** FEA-18 from exact sums; the only rounding is the final division (and root). */
function aggregateTerm(
  fleet: FleetDefinition,
  sensor: Sensor,
  index: number,
  aggregate: Aggregate,
): Term {
  const n = moment(index, 'n')
  const sum = moment(index, 'sum')
  const scale = sensor.kind === 'boolean' ? 1 : valueGrid(fleet, sensor).scale
  const isMany = { left: n, is: '>', right: 1 } as const
  const isAny = { left: n, is: '>', right: 0 } as const
  switch (aggregate) {
    case 'mean':
      return onlyIf([isAny], over(real(sum), times(real(n), decimal(scale))))
    case 'std': {
      const deviations = minus(times(n, moment(index, 'squares')), times(sum, sum))
      const pairs = times(n, minus(n, integer(1)))
      const variance = onlyIf([isMany], over(real(deviations), real(pairs)))
      return over(root(variance), decimal(scale))
    }
    case 'min':
    case 'max':
      return over(real(moment(index, aggregate)), decimal(scale))
    case 'p95':
      return over(moment(index, 'p95'), decimal(scale))
    case 'fraction':
      return onlyIf([isAny], over(real(moment(index, 'true')), real(n)))
    case 'slope': {
      const x = moment(index, 'times')
      const spread = minus(times(n, moment(index, 'time_squares')), times(x, x))
      const product = minus(times(n, moment(index, 'time_products')), times(x, sum))
      const hasSpread = { left: spread, is: '>', right: 0 } as const
      const slope = onlyIf([isMany, hasSpread], over(real(product), real(spread)))
      return times(slope, decimal(minuteMs / scale))
    }
    default:
      return unreachable(aggregate)
  }
}

/** Difference or ratio of two columns of one row, FEA-19. */
export function crossTerm(
  formula: Extract<WindowFormula, { readonly kind: 'difference' | 'ratio' }>,
): Term {
  if (formula.kind === 'difference') {
    return minus(column(formula.minuend), column(formula.subtrahend))
  }
  const denominator = column(formula.denominator)
  const is = formula.inclusive === true ? '>=' : '>'
  return onlyIf(
    [
      { left: denominator, is, right: formula.denominatorAbove },
      { left: denominator, is: '<>', right: 0 },
    ],
    over(column(formula.numerator), denominator),
  )
}

function termOf(fleet: FleetDefinition, formula: WindowFormula): Term {
  switch (formula.kind) {
    case 'aggregate': {
      const index = fleet.sensors.findIndex(({ name }) => name === formula.sensor)
      const sensor = fleet.sensors[index]
      if (sensor === undefined) throw new RangeError(`sensor ${formula.sensor} is not defined`)
      return aggregateTerm(fleet, sensor, index, formula.aggregate)
    }
    case 'count':
      return count(formula.of === 'readings' ? 'reading_count' : 'quality_flag_count')
    case 'completeness': {
      const readings = count('reading_count')
      const all = times(integer(fleet.sensors.length), readings)
      const present = minus(all, count('null_count'))
      // A device with more sensors than its own list names still has all of them.
      return atMost(1, over(real(present), real(times(count('own_sensors'), readings))))
    }
    case 'difference':
    case 'ratio':
      return crossTerm(formula)
    default:
      return unreachable(formula)
  }
}

/** The stored features of a fleet as terms, in stored order (FEA-18 to FEA-20). */
export function windowFeatures(fleet: FleetDefinition): readonly WindowFeature[] {
  return featureColumns(fleet).map(({ name, formula }) => ({
    name,
    term: termOf(fleet, formula),
    isDerived: formula.kind === 'difference' || formula.kind === 'ratio',
  }))
}
