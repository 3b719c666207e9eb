import {
  type FeatureDefinition,
  type FleetDefinition,
  IsothermError,
  unreachable,
} from '../../contracts/index.ts'
import type { FeatureValues } from './live-window.ts'
import { definitionChain } from './model-features.ts'
import { leaveOneOutBelow } from './row-query.ts'
import { termValue } from './term-value.ts'
import { crossTerm } from './window-terms.ts'

/** What the live view knows when a window closes. */
export type LiveRow = {
  readonly minutes: number
  readonly startMs: number
  readonly values: FeatureValues
  /** Stored values of another window of this device, or undefined without a row. */
  readonly windowAt: (minutes: number, startMs: number) => FeatureValues | undefined
  /** Values of a feature in this window over the whole cohort, this device included; no nulls. */
  readonly cohort: (feature: string) => readonly number[]
  /** Frozen mean and spread of the cohort, FEA-29. */
  readonly baseline: (
    feature: string,
  ) => { readonly mean: number; readonly std: number | null } | undefined
}

const minuteMs = 60_000
const dayMs = 86_400_000

function rolling(
  row: LiveRow,
  formula: Extract<FeatureDefinition['formula'], { readonly kind: 'rolling' }>,
): number | null {
  const { of, days, sourceMinutes, atLeast } = formula
  const minutes = sourceMinutes ?? row.minutes
  const lengthMs = minutes * minuteMs
  const firstMs = row.startMs - days * dayMs - (sourceMinutes === undefined ? 0 : lengthMs)
  let sum = 0
  let count = 0
  for (
    let startMs = Math.ceil(firstMs / lengthMs) * lengthMs;
    startMs + lengthMs <= row.startMs;
    startMs += lengthMs
  ) {
    const value = row.windowAt(minutes, startMs)?.[of] ?? null
    if (value === null) continue
    sum += value
    count++
  }
  const needed = 'count' in atLeast ? atLeast.count : (atLeast.share * days * 1440) / minutes
  return count === 0 || count < needed ? null : sum / count
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
  const high = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  return (low + high) / 2
}

function cohortDifference(row: LiveRow, of: string, own: number, minRows: number): number | null {
  const cohort = row.cohort(of)
  if (cohort.length < minRows) return null
  const place = cohort.indexOf(own)
  const peers =
    cohort.length < leaveOneOutBelow ? cohort.filter((_, index) => index !== place) : cohort
  return own - median(peers)
}

/** Days since the first of January, from 1, UTC. */
function dayOfYear(timeMs: number): number {
  const yearMs = Date.UTC(new Date(timeMs).getUTCFullYear(), 0, 1)
  return Math.floor((timeMs - yearMs) / dayMs) + 1
}

function rowValue(
  row: LiveRow,
  { formula, name, resolution }: FeatureDefinition,
  column: (name: string) => number | null,
): number | null {
  const past = (of: string, windows: number) =>
    row.windowAt(row.minutes, row.startMs - windows * row.minutes * minuteMs)?.[of] ?? null
  switch (formula.kind) {
    case 'difference':
    case 'ratio':
      return termValue({ column, moment: () => null, count: () => 0n }, crossTerm(formula))
    case 'lag':
      return past(formula.of, formula.windows)
    case 'rate': {
      const [now, before] = [column(formula.of), past(formula.of, formula.windows)]
      if (now === null || before === null) return null
      return (now - before) / ((formula.windows * row.minutes) / 60)
    }
    case 'rolling':
      return rolling(row, formula)
    case 'season': {
      const turns = dayOfYear(row.startMs + row.minutes * minuteMs) / formula.periodDays
      return Math[formula.wave](2 * Math.PI * turns)
    }
    case 'cohort_difference': {
      const own = column(formula.of)
      return own === null ? null : cohortDifference(row, formula.of, own, formula.minRows)
    }
    case 'cohort_z': {
      const own = column(formula.of)
      const frozen = row.baseline(formula.of)
      if (own === null || frozen === undefined || frozen.std === null) return null
      return (own - frozen.mean) / Math.max(frozen.std, resolution)
    }
    case 'aggregate':
    case 'count':
    case 'completeness':
    case 'correlation':
    case 'spectral':
    case 'starts':
      throw new IsothermError(
        'INPUT_INVALID',
        `feature ${name} comes from readings, not from feature rows`,
      )
    default:
      return unreachable(formula)
  }
}

/**
 * Model-input features of one window in the live view, equal to `rowFeaturesQuery` up to the
 * rounding of sums.
 * @throws IsothermError as `featureDefinition`; INPUT_INVALID for a feature of single readings
 */
export function liveRowFeatures(
  fleet: FleetDefinition,
  names: readonly string[],
  row: LiveRow,
): FeatureValues {
  const values: Record<string, number | null> = { ...row.values }
  const column = (name: string) => values[name] ?? null
  for (const definition of definitionChain(fleet, names)) {
    values[definition.name] = rowValue(row, definition, column)
  }
  return Object.fromEntries(names.map((name) => [name, values[name] ?? null]))
}
