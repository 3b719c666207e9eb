import { type Aggregate, type FeatureFormula, unreachable } from '../../contracts/index.ts'

const aggregateTexts: Readonly<Record<Aggregate, readonly [formula: string, nullRule: string]>> = {
  mean: ['arithmetic mean', 'no value in the window'],
  std: ['sample standard deviation', 'fewer than two values in the window'],
  min: ['lowest value', 'no value in the window'],
  max: ['highest value', 'no value in the window'],
  slope: ['least-squares slope per minute', 'fewer than two values, or all at one time'],
  p95: ['95th percentile, linear between ranks', 'no value in the window'],
  fraction: ['share of readings that are true', 'no value in the window'],
}

const measures = {
  entropy: 'spectral entropy, 0 to 1,',
  dominant_frequency: 'strongest frequency from the second bin on',
  short_cycle_ratio: 'share of power in periods of 2 to 10 min',
} as const

const never = 'never'
const spectralNull = 'more than 20 % of minutes missing, a gap above 2 min, or no variation'

/** A formula in words, and when its result is null. */
export type FeatureText = { readonly formula: string; readonly nullRule: string }

/** Documentation of a formula, made from the definition so that it cannot be out of date. */
export function featureText(formula: FeatureFormula): FeatureText {
  const text = (words: string, nullRule: string) => ({ formula: words, nullRule })
  switch (formula.kind) {
    case 'aggregate': {
      const [words, nullRule] = aggregateTexts[formula.aggregate]
      return text(`${words} of ${formula.sensor}`, nullRule)
    }
    case 'count':
      return text(formula.of === 'readings' ? 'readings' : 'readings with a quality flag', never)
    case 'completeness':
      return text('mean share of sensors that are not null', never)
    case 'difference':
      return text(`${formula.minuend} − ${formula.subtrahend}`, 'either is null')
    case 'ratio': {
      const comparison = formula.inclusive === true ? 'below' : 'not above'
      return text(
        `${formula.numerator} / ${formula.denominator}`,
        `either is null, or ${formula.denominator} is ${comparison} ${formula.denominatorAbove}`,
      )
    }
    case 'correlation':
      return text(
        `Pearson correlation of ${formula.left} and ${formula.right}`,
        `fewer than ${formula.minPairs} pairs, or one of them does not vary`,
      )
    case 'spectral':
      return text(`${measures[formula.measure]} of ${formula.sensor}, Hann window`, spectralNull)
    case 'starts':
      return text(`times that ${formula.sensor} rises through ${formula.level}`, 'no value')
    case 'lag':
      return text(`${formula.of}, ${formula.windows} windows before`, 'no such row, or null there')
    case 'rate':
      return text(
        `change of ${formula.of} over ${formula.windows} windows, per hour`,
        'either end has no value',
      )
    case 'rolling': {
      const least =
        'count' in formula.atLeast
          ? `${formula.atLeast.count} windows`
          : `${formula.atLeast.share * 100} % of the windows`
      const source =
        formula.sourceMinutes === undefined ? '' : ` of ${formula.sourceMinutes}-min windows`
      return text(
        `mean of ${formula.of}${source} over the ${formula.days} days before`,
        `fewer than ${least} have a value`,
      )
    }
    case 'season':
      return text(`${formula.wave}(2π · day of the year / ${formula.periodDays})`, never)
    case 'cohort_difference':
      return text(
        `${formula.of} − median of the cohort in this window, itself left out below 100 rows`,
        `fewer than ${formula.minRows} rows in the cohort`,
      )
    case 'cohort_z':
      return text(
        `(${formula.of} − frozen mean of the cohort) / its frozen spread`,
        'no baseline for the cohort',
      )
    default:
      return unreachable(formula)
  }
}
