import { invalidOption } from '../errors.ts'
import { type FeatureMatrix, requireColumns, requireRows } from '../feature-matrix.ts'
import { rankErrorBound } from '../sketches/quantile-sketch.ts'
import {
  type WeightedValues,
  weightedQuantile,
  weightedValuesOfSketch,
} from '../sketches/weighted-values.ts'
import { quantileOfSorted } from '../statistics/quantile.ts'
import { jensenShannon } from './divergence.ts'
import { missingReason, reasonOfColumn, reasonOfReport } from './drift-reason.ts'
import { type DriftReference, driftSamples, type RowDependence } from './drift-reference.ts'
import { kolmogorovPValue, kolmogorovSmirnovToSketch } from './kolmogorov-smirnov.ts'
import { adjustPValues, type PValueAdjustment } from './multiple-testing.ts'
import { psiOfFractions, psiReferenceOfWeighted } from './psi.ts'
import { sortedBinFractions } from './psi-bins.ts'
import { wassersteinToSketch } from './wasserstein.ts'

/** Options of `driftReport`. */
export type DriftReportOptions = {
  /** Smallest D that counts as drift, however small its p-value. Default 0.1 (MON-11). */
  readonly effectFloor?: number
  /** Level that adjusted p-values must stay below. Default 0.05. */
  readonly level?: number
  /** Default holm: only it may trigger automation (MON-16). */
  readonly adjustment?: PValueAdjustment
  /** Independent values a column needs on both sides. Default 200 (MON-10). */
  readonly minCount?: number
  /** Change of the share of missing cells that is reported. Default 0.05 (MON-5). */
  readonly missingFloor?: number
  /** Share of drifted columns above which the whole table is suspect. Default 0.3 (MON-17). */
  readonly systemicShare?: number
  /** How the current rows depend on each other. Default independent. */
  readonly rows?: RowDependence
}

/** What happened to one column. */
export type ColumnDrift = {
  readonly name: string
  /** `drifted` needs both a gap of at least the floor and an adjusted p-value below the level. */
  readonly verdict: 'stable' | 'drifted' | 'insufficient'
  /** True if the share of missing cells moved by more than the floor; no drift by itself. */
  readonly missingChanged: boolean
  /** Kolmogorov–Smirnov D in [0, 1]; NaN without values. */
  readonly statistic: number
  /** By how much D may be off because the reference is a sketch. */
  readonly statisticError: number
  /** p-value of D for the independent values of both sides; NaN if insufficient. */
  readonly pValue: number
  /** The same adjusted for all columns tested. */
  readonly adjustedPValue: number
  readonly psi: number
  /** PSI expected by chance alone. */
  readonly psiNoise: number
  /** Ladder of MON-12. */
  readonly psiClass: 'none' | 'watch' | 'significant' | 'catastrophic'
  /** In bits, on the decile bins. */
  readonly jensenShannon: number
  /** Wasserstein distance in the column's unit. */
  readonly wasserstein: number
  readonly median: BeforeAndNow
  readonly missingShare: BeforeAndNow
  readonly effectiveCount: BeforeAndNow
  /** One sentence with the figures that decided. */
  readonly reason: string
}

/** A figure of the reference and of the current table. */
export type BeforeAndNow = { readonly before: number; readonly now: number }

/** What happened to a table. */
export type DriftReport = {
  /** `systemic` if so many columns drift together that data, not the world, is the likely cause. */
  readonly verdict: 'stable' | 'drifted' | 'systemic' | 'insufficient'
  readonly columns: readonly ColumnDrift[]
  readonly driftedColumns: readonly string[]
  /** Drifted columns / columns with enough values. */
  readonly driftedShare: number
  readonly reason: string
}

const INDEPENDENT: RowDependence = { kind: 'independent' }

/**
 * Compares a table with a reference column by column and says what drifted and why. A column
 * drifts when the gap between its distribution functions is at least the floor and its p-value,
 * for the independent values on both sides and adjusted for the number of columns, is below the
 * level: the first keeps large samples from alarming about nothing, the second small ones.
 * @param current the same columns; NaN counts as missing, ±∞ is refused
 * @throws COLUMN_MISMATCH, TOO_FEW_ROWS without rows, NOT_FINITE, INVALID_OPTION
 * Cost O(cells): 100,000 × 45 in a quarter of a second. Source: MON-11 to MON-17.
 */
export function driftReport(
  reference: DriftReference,
  current: FeatureMatrix,
  options: DriftReportOptions = {},
): DriftReport {
  const settings = settingsOf(options)
  requireRows('drift report', current)
  requireColumns(reference.columnNames, current)
  const samples = driftSamples(current, settings.rows)
  const measured = reference.columns.map((column, c) => {
    const sample = samples[c]!
    return measureColumn(
      column.name,
      {
        weighted: weightedValuesOfSketch(column.sketch),
        count: column.sketch.count,
        effectiveCount: column.effectiveCount,
        missingShare: column.nullCount / reference.rowCount,
      },
      {
        sorted: sample.sorted,
        effectiveCount: sample.effectiveCount,
        missingShare: sample.nullCount / current.rowCount,
      },
      rankErrorBound(column.sketch),
      settings.minCount,
    )
  })
  const adjusted = adjustPValues(
    measured.map(({ pValue }) => pValue),
    settings.adjustment,
  )
  const columns = measured.map((column, c) => judgeColumn(column, adjusted[c]!, settings))
  return judgeTable(columns, settings)
}

type Settings = Required<DriftReportOptions>

type Side = { readonly effectiveCount: number; readonly missingShare: number }
type KeptSide = Side & { readonly weighted: WeightedValues; readonly count: number }
type SampleSide = Side & { readonly sorted: Float64Array }

type MeasuredColumn = Omit<
  ColumnDrift,
  'verdict' | 'missingChanged' | 'adjustedPValue' | 'psiClass' | 'reason'
>

function measureColumn(
  name: string,
  before: KeptSide,
  now: SampleSide,
  statisticError: number,
  minCount: number,
): MeasuredColumn {
  const shared = {
    name,
    statisticError,
    missingShare: { before: before.missingShare, now: now.missingShare },
    effectiveCount: { before: before.effectiveCount, now: now.effectiveCount },
  }
  if (before.count === 0 || now.sorted.length === 0) {
    const none = Number.NaN
    return {
      ...shared,
      statistic: none,
      pValue: none,
      psi: none,
      psiNoise: none,
      jensenShannon: none,
      wasserstein: none,
      median: { before: none, now: none },
    }
  }
  const { statistic } = kolmogorovSmirnovToSketch(before.weighted, before.count, now.sorted)
  const worth =
    (before.effectiveCount * now.effectiveCount) / (before.effectiveCount + now.effectiveCount)
  const isEnough = Math.min(before.effectiveCount, now.effectiveCount) >= minCount
  const bins = psiReferenceOfWeighted(before.weighted, before.count)
  const fractions = sortedBinFractions(bins.bins, now.sorted)
  const { psi, noiseFloor } = psiOfFractions(bins, fractions, now.sorted.length)
  return {
    ...shared,
    statistic,
    pValue: isEnough ? kolmogorovPValue(statistic, worth) : Number.NaN,
    psi,
    psiNoise: noiseFloor,
    jensenShannon: jensenShannon(bins.fractions, fractions),
    wasserstein: wassersteinToSketch(before.weighted, now.sorted),
    median: {
      before: weightedQuantile(before.weighted, 0.5),
      now: quantileOfSorted(now.sorted, 0.5),
    },
  }
}

function judgeColumn(
  column: MeasuredColumn,
  adjustedPValue: number,
  { effectFloor, level, missingFloor, minCount }: Settings,
): ColumnDrift {
  const hasDrifted = column.statistic > effectFloor && adjustedPValue < level
  const verdict = Number.isNaN(column.pValue) ? 'insufficient' : hasDrifted ? 'drifted' : 'stable'
  const { before, now } = column.missingShare
  const missingChanged = Math.abs(now - before) > missingFloor
  const reason = reasonOfColumn(column, verdict, adjustedPValue, { effectFloor, level, minCount })
  return {
    ...column,
    verdict,
    missingChanged,
    adjustedPValue,
    psiClass: psiClassOf(column.psi),
    reason: missingChanged ? `${reason}; ${missingReason(before, now)}` : reason,
  }
}

function psiClassOf(psi: number): ColumnDrift['psiClass'] {
  if (psi > 1) return 'catastrophic'
  if (psi > 0.25) return 'significant'
  return psi >= 0.1 ? 'watch' : 'none'
}

function judgeTable(columns: readonly ColumnDrift[], { systemicShare }: Settings): DriftReport {
  const tested = columns.filter(({ verdict }) => verdict !== 'insufficient').length
  const driftedColumns = columns
    .filter(({ verdict }) => verdict === 'drifted')
    .toSorted((a, b) => b.statistic - a.statistic)
    .map(({ name }) => name)
  const driftedShare = tested === 0 ? 0 : driftedColumns.length / tested
  const verdict =
    tested === 0
      ? 'insufficient'
      : driftedShare > systemicShare
        ? 'systemic'
        : driftedColumns.length > 0
          ? 'drifted'
          : 'stable'
  const reason = reasonOfReport(verdict, driftedColumns, tested, columns.length, systemicShare)
  return { verdict, columns, driftedColumns, driftedShare, reason }
}

function settingsOf(options: DriftReportOptions): Settings {
  const settings: Settings = {
    effectFloor: options.effectFloor ?? 0.1,
    level: options.level ?? 0.05,
    adjustment: options.adjustment ?? 'holm',
    minCount: options.minCount ?? 200,
    missingFloor: options.missingFloor ?? 0.05,
    systemicShare: options.systemicShare ?? 0.3,
    rows: options.rows ?? INDEPENDENT,
  }
  for (const name of ['effectFloor', 'level', 'missingFloor', 'systemicShare'] as const) {
    if (!(settings[name] >= 0 && settings[name] <= 1)) {
      throw invalidOption(name, 'in [0, 1]', settings[name])
    }
  }
  if (!(settings.minCount >= 1)) throw invalidOption('minCount', '≥ 1', settings.minCount)
  return settings
}
