import { AnomalyError, invalidOption, shapeMismatch, tooFewRows } from '../errors.ts'
import {
  type EvidenceScratch,
  evidenceRows,
  evidenceScratch,
  SERIES_STATISTICS,
  type SeriesStatistic,
  weighNewest,
} from './series-evidence.ts'
import { emptyMemory, remember, type SeriesMemory } from './series-memory.ts'
import { emptyTail, type TailModel } from './tail-model.ts'

const DAY_MS = 86_400_000
/** Seasons of fewer slots say little, of more slots are too long to be learned. */
const MIN_SEASON_SLOTS = 6
const MAX_SEASON_SLOTS = 1440
/** A score that does not alarm ends here, well below one half. */
const SILENT_SCORE = 0.49

/** Options of the single-series detector. One setting is meant to serve every series. */
export type SeriesDetectorOptions = {
  /** Usual time between two rows, milliseconds. */
  readonly intervalMs: number
  /**
   * Length of the season, default one day; seven of them are tried as the longer season. 0 for
   * none; a season of fewer than 6 or more than 1,440 intervals is not used.
   */
  readonly seasonMs?: number
  /**
   * Joint tail probability at which the score is one half; default 0.008: on generated series
   * with irregular noise about one false alarm in 4,000 rows. Lower is quieter.
   */
  readonly alarmProbability?: number
  /** Rows learned before the first alarm; default 300, and at least two seasons. */
  readonly warmUpRows?: number
  /** Rows with evidence, among the newest `hitWindow`, that make an alarm; default 1. */
  readonly minHits?: number
  /** Default 1, at least `minHits`. */
  readonly hitWindow?: number
  /** Rows after an alarm before the next can come; default 100. Lasting evidence prolongs it. */
  readonly quietRows?: number
}

/** State of the detector of one series; plain data, changed by each update. */
export type SeriesDetector = {
  readonly kind: 'series_detector'
  readonly stateVersion: 1
  readonly intervalMs: number
  readonly alarmProbability: number
  readonly warmUpRows: number
  readonly minHits: number
  readonly quietRows: number
  readonly memory: SeriesMemory
  /** Upper and lower tail of each of `SERIES_STATISTICS`. */
  readonly tails: readonly TailModel[]
  /** Which of the newest `hitWindow` rows had evidence; a ring. */
  readonly hits: Uint8Array
  startMs: number
  newestMs: number
  missingCount: number
  /** Rows until the open episode closes; 0 if none is open. */
  quietLeft: number
}

/** Verdict on one row. */
export type SeriesVerdict = {
  /** In [0, 1]; above one half exactly if this row raises an alarm. */
  readonly score: number
  /** As the score, but without warm-up, k-of-n and quiet rows: how odd the row is by itself. */
  readonly evidence: number
  /**
   * `warming_up`, `normal`, `alarm` (this row raises one), `open` (the episode of an earlier alarm
   * lasts), `missing` (no value: nothing was learned).
   */
  readonly state: 'warming_up' | 'normal' | 'alarm' | 'open' | 'missing'
  /** Whole intervals without a row before this one: silence is a finding of its own. */
  readonly silentIntervals: number
  /** The strongest statistic and its direction: the explanation. */
  readonly statistic: SeriesStatistic
  readonly direction: 'up' | 'down'
}

/**
 * A detector that has seen nothing. It watches seven statistics of the series (value, step, level,
 * level of a season, place in the daily or weekly profile, spread) upwards and downwards, each
 * against the extreme-value tail of its own history, and joins them.
 * @throws INVALID_OPTION
 * Memory about 120 KB, and 8 bytes per interval of four weeks.
 */
export function emptySeriesDetector(options: SeriesDetectorOptions): SeriesDetector {
  const { intervalMs, seasonMs = DAY_MS, alarmProbability = 0.008 } = options
  const { warmUpRows = 300, minHits = 1, hitWindow = minHits, quietRows = 100 } = options
  if (!(intervalMs > 0 && Number.isFinite(intervalMs))) {
    throw invalidOption('intervalMs', 'a finite number > 0', intervalMs)
  }
  if (!(seasonMs >= 0)) throw invalidOption('seasonMs', '≥ 0', seasonMs)
  if (!(alarmProbability > 0 && alarmProbability < 1)) {
    throw invalidOption('alarmProbability', 'in (0, 1)', alarmProbability)
  }
  requireCount('warmUpRows', warmUpRows, 0)
  requireCount('minHits', minHits, 1)
  requireCount('hitWindow', hitWindow, minHits)
  requireCount('quietRows', quietRows, 0)
  const slots = Math.round(seasonMs / intervalMs)
  const seasonSlots = slots >= MIN_SEASON_SLOTS && slots <= MAX_SEASON_SLOTS ? slots : 0
  return {
    kind: 'series_detector',
    stateVersion: 1,
    intervalMs,
    alarmProbability,
    warmUpRows: Math.max(warmUpRows, 2 * seasonSlots),
    minHits,
    quietRows,
    memory: emptyMemory(seasonSlots, evidenceRows(seasonSlots)),
    tails: Array.from({ length: 2 * SERIES_STATISTICS.length }, emptyTail),
    hits: new Uint8Array(hitWindow),
    startMs: Number.NaN,
    newestMs: Number.NaN,
    missingCount: 0,
    quietLeft: 0,
  }
}

/**
 * Judges one row by the rows before it, then learns it.
 * @param timeMs of the row; a time before the newest one counts as the newest (clock going back)
 * @param value any unit; NaN = missing
 * @param scratch from `seriesScratch`, to be reused over rows and series
 * @throws NOT_FINITE on ±∞ or a time that is no number
 * Cost about 10 µs.
 */
export function updateSeriesDetector(
  detector: SeriesDetector,
  timeMs: number,
  value: number,
  scratch: EvidenceScratch = evidenceScratch(),
): SeriesVerdict {
  if (!Number.isFinite(timeMs)) throw notANumber('time', timeMs)
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
    throw notANumber('value', value)
  }
  const { memory, intervalMs } = detector
  if (Number.isNaN(detector.startMs)) detector.startMs = timeMs
  const time = Number.isNaN(detector.newestMs) ? timeMs : Math.max(timeMs, detector.newestMs)
  const silentIntervals = silentIntervalsAt(detector, time)
  if (Number.isNaN(value)) {
    detector.missingCount += 1
    const nothing = { score: 0, evidence: 0, statistic: 'value', direction: 'up' } as const
    return { ...nothing, state: 'missing', silentIntervals }
  }
  detector.newestMs = time
  remember(memory, Math.round((time - detector.startMs) / intervalMs), value)
  const { probability, statistic, direction } = weighNewest(memory, detector.tails, scratch)
  const evidence = 1 / (1 + probability / detector.alarmProbability)
  const state = decide(detector, evidence > 0.5)
  const score = state === 'alarm' ? evidence : Math.min(evidence, SILENT_SCORE)
  return { score, evidence, state, silentIntervals, statistic, direction }
}

/**
 * Whole intervals without a row at a given time: 0 while rows come as usual. Ask it between rows
 * to notice a series that stopped.
 */
export function silentIntervalsAt(detector: SeriesDetector, timeMs: number): number {
  if (Number.isNaN(detector.newestMs)) return 0
  // A row may come up to half an interval late before one counts as left out.
  const late = (timeMs - detector.newestMs) / detector.intervalMs
  return Math.max(0, Math.round(late) - 1)
}

/** Memory for updates, to be reused over rows and series. */
export function seriesScratch(): EvidenceScratch {
  return evidenceScratch()
}

/**
 * Scores a whole series row by row, as if it arrived live; a row is judged by earlier rows only.
 * @param times of the rows, milliseconds, ascending
 * @param options as of the detector; `intervalMs` defaults to the usual spacing of the first rows
 * @returns one score per row: above one half where an alarm is raised, 0 where the value is missing
 * @throws SHAPE_MISMATCH, TOO_FEW_ROWS with less than two rows and no interval, NOT_FINITE
 */
export function scoreSeries(
  times: Float64Array,
  values: Float64Array,
  options: Partial<SeriesDetectorOptions> = {},
): Float64Array {
  if (times.length !== values.length) {
    throw shapeMismatch('times.length', values.length, times.length)
  }
  const detector = emptySeriesDetector({
    ...options,
    intervalMs: options.intervalMs ?? usualIntervalMs(times),
  })
  const scratch = seriesScratch()
  return values.map(
    (value, row) => updateSeriesDetector(detector, times[row]!, value, scratch).score,
  )
}

/**
 * Usual time between rows: the median spacing of the first 200, or, where spacings vary, the mean
 * of those below five medians, so that pauses do not count.
 * @throws TOO_FEW_ROWS without two different times
 */
export function usualIntervalMs(times: Float64Array): number {
  const gaps: number[] = []
  for (let row = 1; row < Math.min(times.length, 201); row++) {
    const gap = times[row]! - times[row - 1]!
    if (gap > 0) gaps.push(gap)
  }
  if (gaps.length === 0) throw tooFewRows('usual interval (different times)', 2, 1)
  gaps.sort((a, b) => a - b)
  const median = gaps[gaps.length >> 1]!
  const isNearMedian = (gap: number) => Math.abs(gap - median) <= 0.1 * median
  if (gaps.filter(isNearMedian).length >= 0.8 * gaps.length) return median
  const usual = gaps.filter((gap) => gap < 5 * median)
  return usual.reduce((sum, gap) => sum + gap, 0) / usual.length
}

/** Warm-up, k of n, and quiet rows after an alarm. */
function decide(detector: SeriesDetector, isHit: boolean): SeriesVerdict['state'] {
  const { hits, memory } = detector
  hits[(memory.rowCount - 1) % hits.length] = isHit ? 1 : 0
  if (memory.rowCount <= detector.warmUpRows) return 'warming_up'
  if (detector.quietLeft > 0) {
    // Lasting evidence prolongs the episode, but never beyond a full quiet time from here.
    if (!isHit) detector.quietLeft -= 1
    return 'open'
  }
  let hitCount = 0
  for (let i = 0; i < hits.length; i++) hitCount += hits[i]!
  if (!isHit || hitCount < detector.minHits) return 'normal'
  detector.quietLeft = detector.quietRows
  return 'alarm'
}

function notANumber(what: string, found: number): AnomalyError {
  return new AnomalyError(
    'NOT_FINITE',
    `series detector: ${what} is ${found}, expected a finite number${what === 'value' ? ', or NaN where it is missing' : ''}`,
    { what, found },
  )
}

function requireCount(name: string, value: number, minimum: number): void {
  if (!Number.isInteger(value) || value < minimum) {
    throw invalidOption(name, `an integer ≥ ${minimum}`, value)
  }
}
