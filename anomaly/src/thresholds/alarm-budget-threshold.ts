import { invalidOption, shapeMismatch, tooFewRows } from '../errors.ts'
import { descendingOrder } from '../metrics/ranking-metrics.ts'
import { requireFiniteScores } from './reference-scores.ts'

/** Flags so that healthy devices raise at most so many alarms a week. Plain data. */
export type AlarmBudgetThreshold = {
  readonly kind: 'alarm_budget_threshold'
  readonly stateVersion: 1
  /** False alarms per week that operations can absorb, ≥ 0. */
  readonly level: number
  /** Weeks the healthy scores cover. */
  readonly weeks: number
  /** The score that would raise alarm number k + 1 if it were flagged, k = 0, 1, …; descending. */
  readonly alarmScores: Float64Array
}

/** Options of `alarmBudgetThreshold`. */
export type AlarmBudgetOptions = {
  /** Time from first to last row, in weeks: of the fleet's calendar, not summed over devices. */
  readonly weeks: number
  /** False alarms per week. Default 1. */
  readonly level?: number
  /** First row of each device, ascending from 0. Default: one device. */
  readonly groupStarts?: ArrayLike<number>
  /** Flagged rows with at most so many others between them are one alarm. Default 0. */
  readonly mergeGap?: number
}

/** More alarms than this over the history are no budget. */
const MAX_ALARMS = 100_000

/**
 * Lowest cutoff at which, and above which, healthy scores raise no more alarms than the budget. An
 * alarm is a run of flagged rows of one device: what a person sees, not the number of rows.
 * @param scores of healthy rows in time order, device by device, finite
 * @throws TOO_FEW_ROWS if empty, NOT_FINITE, INVALID_OPTION, SHAPE_MISMATCH if a device starts
 *   past the end
 * Cost O(n log n). With less than one alarm allowed over the whole history (level · weeks < 1) the
 * cutoff is the highest score seen; use `extremeValueThreshold` to go beyond what was seen.
 */
export function alarmBudgetThreshold(
  scores: Float64Array,
  { weeks, level = 1, groupStarts = [0], mergeGap = 0 }: AlarmBudgetOptions,
): AlarmBudgetThreshold {
  if (!(weeks > 0 && weeks < Number.POSITIVE_INFINITY)) throw invalidOption('weeks', '> 0', weeks)
  if (!(level >= 0 && level < Number.POSITIVE_INFINITY)) throw invalidOption('level', '≥ 0', level)
  if (!(Number.isInteger(mergeGap) && mergeGap >= 0)) {
    throw invalidOption('mergeGap', 'an integer ≥ 0', mergeGap)
  }
  if (scores.length === 0) throw tooFewRows('alarm budget threshold', 1, 0)
  requireFiniteScores('alarm budget threshold', scores)
  const lastStart = groupStarts[groupStarts.length - 1] ?? 0
  if (lastStart > scores.length) throw shapeMismatch('groupStarts', scores.length, lastStart)
  const alarmScores = alarmRaisingScores(scores, groupOfRows(groupStarts, scores.length), mergeGap)
  return { kind: 'alarm_budget_threshold', stateVersion: 1, level, weeks, alarmScores }
}

/** The score of the first alarm beyond the budget; −∞ if the history never raises so many. */
export function alarmBudgetCutoff({ level, weeks, alarmScores }: AlarmBudgetThreshold): number {
  const allowed = Math.floor(level * weeks)
  return allowed < alarmScores.length ? alarmScores[allowed]! : Number.NEGATIVE_INFINITY
}

/**
 * Flags rows from the highest score down and counts runs: a row joins the runs it touches. The
 * k-th entry is the score at which the count first exceeds k.
 */
function alarmRaisingScores(
  scores: Float64Array,
  groupOfRow: Uint32Array,
  mergeGap: number,
): Float64Array {
  const order = descendingOrder(scores)
  const isFlagged = new Uint8Array(scores.length)
  const reach = mergeGap + 1
  const alarmScores: number[] = []
  let runs = 0
  for (let start = 0; start < order.length && alarmScores.length < MAX_ALARMS; ) {
    const score = scores[order[start]!]!
    let end = start
    for (; end < order.length && scores[order[end]!] === score; end++) {
      const row = order[end]!
      isFlagged[row] = 1
      const before = neighbourDistance(isFlagged, groupOfRow, row, -1, reach)
      const after = neighbourDistance(isFlagged, groupOfRow, row, 1, reach)
      if (before > reach && after > reach) runs++
      // Runs on both sides become one, unless they were near enough to be one already.
      else if (before <= reach && after <= reach && before + after > reach) runs--
    }
    while (alarmScores.length < runs && alarmScores.length < MAX_ALARMS) alarmScores.push(score)
    start = end
  }
  return Float64Array.from(alarmScores)
}

/** Rows to the next flagged one of the same device; above `reach` if there is none so near. */
function neighbourDistance(
  isFlagged: Uint8Array,
  groupOfRow: Uint32Array,
  row: number,
  direction: -1 | 1,
  reach: number,
): number {
  for (let distance = 1; distance <= reach; distance++) {
    const other = row + direction * distance
    const isOutside = other < 0 || other >= isFlagged.length
    if (isOutside || groupOfRow[other] !== groupOfRow[row]) return reach + 1
    if (isFlagged[other] === 1) return distance
  }
  return reach + 1
}

function groupOfRows(groupStarts: ArrayLike<number>, rowCount: number): Uint32Array {
  const groupOfRow = new Uint32Array(rowCount)
  for (let group = 0; group < groupStarts.length; group++) {
    const end = group + 1 < groupStarts.length ? groupStarts[group + 1]! : rowCount
    groupOfRow.fill(group, groupStarts[group]!, end)
  }
  return groupOfRow
}
