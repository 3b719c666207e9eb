import type { Aggregate } from './fleet.ts'

/**
 * How a feature comes from the readings of its own window, FEA-18 to FEA-20. Operands of a
 * difference or ratio are names of features defined before it.
 */
export type WindowFormula =
  | { readonly kind: 'aggregate'; readonly sensor: string; readonly aggregate: Aggregate }
  | { readonly kind: 'count'; readonly of: 'readings' | 'flagged' }
  /** Mean share of sensors that are not null, FEA-20. */
  | { readonly kind: 'completeness' }
  | { readonly kind: 'difference'; readonly minuend: string; readonly subtrahend: string }
  | {
      readonly kind: 'ratio'
      readonly numerator: string
      readonly denominator: string
      /** Null unless the denominator is above (or, with `inclusive`, at least) this. */
      readonly denominatorAbove: number
      readonly inclusive?: boolean
    }

/**
 * How an experimental feature comes from the single readings of a window, FEA-33 and FEA-38; not
 * mergeable from finer windows.
 */
export type SeriesFormula =
  /** Pearson r of paired readings; null below `minPairs` or when one of them does not vary. */
  | {
      readonly kind: 'correlation'
      readonly left: string
      readonly right: string
      readonly minPairs: number
    }
  | {
      readonly kind: 'spectral'
      readonly sensor: string
      readonly measure: 'entropy' | 'dominant_frequency' | 'short_cycle_ratio'
    }
  /** Times that the sensor rises through a level. */
  | { readonly kind: 'starts'; readonly sensor: string; readonly level: number }

/** How a feature comes from stored rows of other windows, of peers or of the calendar, FEA-24 ff. */
export type RowFormula =
  /** The feature exactly so many windows ago. */
  | { readonly kind: 'lag'; readonly of: string; readonly windows: number }
  /** Change over so many windows, per hour. */
  | { readonly kind: 'rate'; readonly of: string; readonly windows: number }
  /**
   * Mean over the windows that lie in the days before this window's start; with `sourceMinutes`
   * over the windows of that length that end in them, both ends included.
   */
  | {
      readonly kind: 'rolling'
      readonly of: string
      readonly days: number
      /** Source windows; default the row's own duration. */
      readonly sourceMinutes?: number
      /** Null with fewer values than this count, or than this share of the windows. */
      readonly atLeast: { readonly count: number } | { readonly share: number }
    }
  | { readonly kind: 'season'; readonly wave: 'sin' | 'cos'; readonly periodDays: number }
  /** Distance from the median of the cohort in the same window; null below `minRows`. */
  | { readonly kind: 'cohort_difference'; readonly of: string; readonly minRows: number }
  /** Distance from the cohort's frozen mean in its frozen spreads. */
  | { readonly kind: 'cohort_z'; readonly of: string }

/** How a feature is computed: one operator over sensors or over features with a name. */
export type FeatureFormula = WindowFormula | SeriesFormula | RowFormula

/** A feature with everything that describes it. SQL, live form, unit check and docs come from it. */
export type FeatureDefinition<Formula extends FeatureFormula = FeatureFormula> = {
  readonly name: string
  /** What a technician calls it: "pressure ratio". */
  readonly label: string
  /** `A/°C`; empty for a plain number. It must be what the formula gives. */
  readonly unit: string
  readonly group: string
  /** Resolution floor `r` of FEA section 3: the smallest spread that may divide. */
  readonly resolution: number
  readonly formula: Formula
}
