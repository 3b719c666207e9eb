import {
  type FeatureDefinition,
  type FleetDefinition,
  IsothermError,
  type RowFormula,
  unreachable,
} from '../../contracts/index.ts'
import type { Dialect } from './dialect.ts'
import { definitionChain } from './model-features.ts'
import { termSql } from './term-sql.ts'
import { crossTerm } from './window-terms.ts'

/** Cohorts below this size leave the row itself out of its peers, FEA-35. */
export const leaveOneOutBelow = 100

/** Where model-input features come from. */
export type RowSources = {
  /** Feature rows with their history: relation with the columns of `device_features`. */
  readonly rows: string
  /** Relation (device_id, cohort_id). */
  readonly cohorts: string
  /** Relation (feature_name, cohort_id, window_duration_minutes, baseline_mean, baseline_std). */
  readonly baselines: string
}

/** Which rows get the features. */
export type RowSelection = {
  readonly minutes: number
  /** Window starts, half-open, epoch ms. */
  readonly startMs: number
  readonly endMs: number
}

type Context = RowSelection & { readonly dialect: Dialect; readonly definition: FeatureDefinition }

const minuteMs = 60_000
const dayMs = 86_400_000

/** Joins the value of another window, `past_value`, to each row. */
function lagJoin({ dialect, minutes }: Context, rows: string, of: string, windows: number): string {
  const backMs = windows * minutes * minuteMs
  return `LEFT JOIN (SELECT device_id, start_ms + ${backMs} AS start_ms,
      ${dialect.quote(of)} AS past_value FROM ${rows}
      WHERE window_duration_minutes = ${minutes}) AS past
    ON past.device_id = cur.device_id AND past.start_ms = cur.start_ms`
}

function rollingJoin(
  { dialect, minutes }: Context,
  rows: string,
  { of, days, sourceMinutes, atLeast }: Extract<RowFormula, { readonly kind: 'rolling' }>,
): string {
  const source = sourceMinutes ?? minutes
  const value = `source.${dialect.quote(of)}`
  const needed = 'count' in atLeast ? atLeast.count : (atLeast.share * days * 1440) / source
  // Windows that end in the span begin one length earlier than those that lie in it.
  const spanMs = days * dayMs + (sourceMinutes === undefined ? 0 : source * minuteMs)
  return `LEFT JOIN (SELECT target.device_id, target.start_ms,
      CASE WHEN count(${value}) >= ${needed} THEN avg(${value}) END AS rolled_value
      FROM target JOIN ${rows} AS source ON source.device_id = target.device_id
        AND source.window_duration_minutes = ${source}
        AND source.start_ms >= target.start_ms - ${spanMs}
        AND source.start_ms + ${source * minuteMs} <= target.start_ms
      GROUP BY target.device_id, target.start_ms) AS rolled
    ON rolled.device_id = cur.device_id AND rolled.start_ms = cur.start_ms`
}

/**
 * Median of the row's peers from the cohort's sorted values and the row's place among them: without
 * element `place`, element j of the rest is j or j + 1.
 */
function peerMedian(dialect: Dialect): string {
  const other = (index: string) =>
    dialect.element('peers.sorted', `${index} + CASE WHEN ${index} >= place THEN 1 ELSE 0 END`)
  const whole = (index: string) => dialect.element('peers.sorted', index)
  const middle = (pick: (index: string) => string, size: string) => {
    const [low, high] = [
      dialect.quotient(`(${size} - 1)`, 2),
      dialect.quotient(`(${size})`, 2),
    ] as const
    return `(${pick(`(${low})`)} + ${pick(`(${high})`)}) / 2`
  }
  return `CASE WHEN peers.size < ${leaveOneOutBelow} THEN ${middle(other, '(peers.size - 1)')}
    ELSE ${middle(whole, 'peers.size')} END`
}

function cohortJoin({ dialect, minutes }: Context, sources: RowSources, of: string): string {
  const value = dialect.quote(of)
  const list = dialect.sortedList(value)
  return `LEFT JOIN (SELECT placed.device_id, placed.start_ms, peers.size,
      ${peerMedian(dialect)} AS peer_median
    FROM (SELECT target.device_id, target.start_ms, cohort.cohort_id,
        row_number() OVER (PARTITION BY cohort.cohort_id, target.start_ms
          ORDER BY ${value}) - 1 AS place
      FROM target JOIN ${sources.cohorts} AS cohort ON cohort.device_id = target.device_id
      WHERE ${value} IS NOT NULL) AS placed
    JOIN (SELECT cohort.cohort_id, target.start_ms, count(${value}) AS size, ${list} AS sorted
      FROM target JOIN ${sources.cohorts} AS cohort ON cohort.device_id = target.device_id
      WHERE window_duration_minutes = ${minutes}
      GROUP BY cohort.cohort_id, target.start_ms) AS peers
    ON peers.cohort_id = placed.cohort_id AND peers.start_ms = placed.start_ms) AS cohort
  ON cohort.device_id = cur.device_id AND cohort.start_ms = cur.start_ms`
}

function baselineJoin({ dialect, minutes }: Context, sources: RowSources, of: string): string {
  return `LEFT JOIN (SELECT cohort.device_id, frozen.baseline_mean, frozen.baseline_std
      FROM ${sources.baselines} AS frozen JOIN ${sources.cohorts} AS cohort
        ON cohort.cohort_id = frozen.cohort_id
      WHERE frozen.feature_name = ${dialect.text(of)}
        AND frozen.window_duration_minutes = ${minutes}) AS baseline
    ON baseline.device_id = cur.device_id`
}

/** What one formula adds to the rows: a column and the join it needs. */
function rowPart(
  context: Context,
  sources: RowSources,
  formula: RowFormula,
): { readonly value: string; readonly join: string } {
  const { dialect, definition, minutes } = context
  switch (formula.kind) {
    case 'lag':
      return {
        value: 'past.past_value',
        join: lagJoin(context, 'history', formula.of, formula.windows),
      }
    case 'rate': {
      const hours = (formula.windows * minutes) / 60
      return {
        value: `(cur.${dialect.quote(formula.of)} - past.past_value) / ${dialect.doubleLiteral(hours)}`,
        join: lagJoin(context, 'history', formula.of, formula.windows),
      }
    }
    case 'rolling':
      return { value: 'rolled.rolled_value', join: rollingJoin(context, 'history', formula) }
    case 'season': {
      const turns = `${dialect.double(dialect.dayOfYear('cur.window_end'))} / ${dialect.doubleLiteral(formula.periodDays)}`
      return { value: `${formula.wave}(2 * pi() * (${turns}))`, join: '' }
    }
    case 'cohort_difference':
      return {
        value: `CASE WHEN cohort.size >= ${formula.minRows}
          THEN cur.${dialect.quote(formula.of)} - cohort.peer_median END`,
        join: cohortJoin(context, sources, formula.of),
      }
    case 'cohort_z':
      return {
        value: `CASE WHEN baseline.baseline_std IS NOT NULL THEN
          (cur.${dialect.quote(formula.of)} - baseline.baseline_mean)
          / greatest(baseline.baseline_std, ${dialect.doubleLiteral(definition.resolution)}) END`,
        join: baselineJoin(context, sources, formula.of),
      }
    default:
      return unreachable(formula)
  }
}

function addFeature(context: Context, sources: RowSources, query: string): string {
  const { dialect, definition } = context
  const { formula, name } = definition
  const column = dialect.quote(name)
  switch (formula.kind) {
    case 'difference':
    case 'ratio':
      return `SELECT *, ${termSql(dialect, crossTerm(formula))} AS ${column} FROM (${query}) AS cur`
    case 'aggregate':
    case 'count':
    case 'completeness':
    case 'correlation':
    case 'spectral':
    case 'starts':
      throw new IsothermError(
        'INPUT_INVALID',
        `feature ${name} comes from readings, not from feature rows; it has a query of its own`,
      )
    default: {
      const { value, join } = rowPart(context, sources, formula)
      return `SELECT cur.*, ${value} AS ${column} FROM (${query}) AS cur ${join}`
    }
  }
}

/**
 * SELECT of device_id, window_start and model-input features of FEA section 4 for the rows of one
 * duration. Cost of rolling features: windows looked back over per row.
 * @throws IsothermError as `featureDefinition`; INPUT_INVALID for a feature of single readings
 */
export function rowFeaturesQuery(
  dialect: Dialect,
  fleet: FleetDefinition,
  names: readonly string[],
  sources: RowSources,
  selection: RowSelection,
): string {
  const query = definitionChain(fleet, names).reduce(
    (rows, definition) => addFeature({ ...selection, dialect, definition }, sources, rows),
    'SELECT * FROM target',
  )
  return `WITH history AS (SELECT *, ${dialect.epochMs('window_start')} AS start_ms FROM ${sources.rows}),
    target AS (SELECT * FROM history WHERE window_duration_minutes = ${selection.minutes}
      AND start_ms >= ${selection.startMs} AND start_ms < ${selection.endMs})
    SELECT device_id, window_start, ${names.map(dialect.quote).join(', ')} FROM (${query}) AS complete`
}
