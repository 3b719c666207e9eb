import type { SeriesFigures, SeriesOptions } from './sensor-series.ts'

/** Why a sensor is not usable, or only in part. */
export type SensorFault =
  | 'DROPOUT'
  | 'OUT_OF_RANGE'
  | 'STUCK'
  | 'GAPS'
  | 'JUMPS'
  | 'DRIFT'
  | 'FROZEN_PAYLOAD'

/** What a sensor is good for; a fault comes with its reason in numbers. */
export type SensorGrade =
  | { readonly grade: 'usable' }
  | {
      readonly grade: 'weak' | 'dead'
      readonly reason: SensorFault
      readonly detail: string
      /** Share of the stretch at fault, 0 to 1. */
      readonly share: number
    }

/** Rows of a device below which nothing is said. */
export const minGradedRows = 60

/** Limits of the grades, as shares of the rows (decided). */
const dead = { missing: 0.9, outside: 0.5, stuck: 0.5 } as const
const weak = { missing: 0.1, outside: 0.02, jumps: 0.005, gapsPerDay: 6 } as const
/** A run this many times the limit that is still going on is no episode any more. */
const lastingRuns = 3
/** Drift: the level moves by this share of the range, steadily, and well above its noise. */
const drift = { rangeShare: 0.04, trend: 0.75, noises: 4 } as const

const percent = (share: number) => `${(100 * share).toFixed(1)} %`
const usable: SensorGrade = { grade: 'usable' }

function missingGrade(figures: SeriesFigures, rowsPerDay: number): SensorGrade | undefined {
  const { rowCount, valueCount, violationCount, gapCount } = figures
  const share = (rowCount - valueCount - violationCount) / rowCount
  if (share >= dead.missing) {
    return { grade: 'dead', reason: 'DROPOUT', detail: `${percent(share)} of rows lack it`, share }
  }
  const gapLimit = Math.max(weak.gapsPerDay, (weak.gapsPerDay * rowCount) / rowsPerDay)
  if (share < weak.missing && gapCount < gapLimit) return undefined
  const detail = `${percent(share)} of rows lack it, ${gapCount} gaps of over 5 rows`
  return { grade: 'weak', reason: 'GAPS', detail, share }
}

function stuckGrade(figures: SeriesFigures, { stuckReadings }: SeriesOptions) {
  const { longestRun, stuckShare, lastRun } = figures
  if (longestRun < stuckReadings) return undefined
  const isLasting = lastRun >= lastingRuns * stuckReadings
  const grade = stuckShare >= dead.stuck || isLasting ? 'dead' : 'weak'
  const detail = `${longestRun} readings of one value in a row`
  return { grade, reason: 'STUCK', detail, share: stuckShare } as const
}

function outsideGrade({ rowCount, violationCount }: SeriesFigures): SensorGrade | undefined {
  const share = violationCount / rowCount
  if (share <= weak.outside) return undefined
  const grade = share >= dead.outside ? 'dead' : 'weak'
  return { grade, reason: 'OUT_OF_RANGE', detail: `${percent(share)} out of range`, share }
}

function driftGrade(
  { levelChange, levelNoise, trend }: SeriesFigures,
  { rangeWidth }: SeriesOptions,
  peerChange: number,
): SensorGrade | undefined {
  const own = levelChange - peerChange
  const isSteady = Math.abs(trend) >= drift.trend && Math.sign(own) === Math.sign(levelChange)
  const isLarge = Math.abs(own) > drift.rangeShare * rangeWidth
  if (!isSteady || !isLarge || Math.abs(own) < drift.noises * levelNoise) return undefined
  const detail = `level moved by ${own.toFixed(2)} beyond its peers`
  return { grade: 'weak', reason: 'DRIFT', detail, share: Math.min(1, Math.abs(own) / rangeWidth) }
}

/**
 * Grade of a sensor from its figures: the worst fault decides. Drift is what goes beyond the peers,
 * so that a warm day is no fault of thermometers.
 * @param peerChange median change of level of the same sensor on like devices; 0 without peers
 */
export function gradeSensor(
  figures: SeriesFigures,
  options: SeriesOptions & {
    readonly rowsPerDay: number
    /** The quantity is switched on and off, so that single readings may stand alone. */
    readonly isSwitched?: boolean
  },
  peerChange: number,
): SensorGrade {
  if (figures.rowCount < minGradedRows) return usable
  const found = [
    outsideGrade(figures),
    missingGrade(figures, options.rowsPerDay),
    stuckGrade(figures, options),
    figures.jumpShare > weak.jumps && options.isSwitched !== true
      ? ({
          grade: 'weak',
          reason: 'JUMPS',
          detail: `${percent(figures.jumpShare)} of readings stand alone`,
          share: figures.jumpShare,
        } as const)
      : undefined,
    // Within a day every level moves and comes back.
    figures.rowCount >= options.rowsPerDay ? driftGrade(figures, options, peerChange) : undefined,
  ].filter((grade) => grade !== undefined)
  return found.find(({ grade }) => grade === 'dead') ?? found[0] ?? usable
}
