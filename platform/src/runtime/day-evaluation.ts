import { ANCHOR_SCORES, auroc } from '@isotherm/anomaly'
import { type DeviceRow, IsothermError, type ModelSpec } from '../contracts/index.ts'
import type { Lake } from '../lake/index.ts'
import {
  explainRows,
  type FeatureRows,
  FLAG_THRESHOLD,
  fitArtifact,
  type ModelArtifact,
  readFeatureRows,
  rowsWhere,
  scoreRows,
  selectFeatureRows,
} from '../models/index.ts'

/** What is known about a day: `true` if a fault was there. */
export type LabelledDay = {
  readonly date: string
  readonly isFaulty: boolean
  readonly note?: string
}

/** A day judged by a model that never saw it. */
export type DayVerdict = LabelledDay & {
  /** Mean score of the day's windows in units of the flag threshold: 1 is the edge of unusual. */
  readonly dayScore: number
  readonly windowCount: number
  readonly flaggedCount: number
  /** The model calls the day unusual: more windows flagged than any healthy day left out. */
  readonly isUnusual: boolean
  /** Feature that explains most of the day's flagged windows. */
  readonly topContributor: string | undefined
}

/** Result of an evaluation over labelled days. */
export type DayEvaluation = {
  readonly modelId: string
  readonly durationMinutes: number
  readonly days: readonly DayVerdict[]
  /** Probability that a faulty day scores above a healthy one. */
  readonly dayAuroc: number
}

const dayMs = 86_400_000

type Judged = Omit<DayVerdict, 'isUnusual'>

type Setting = {
  readonly lake: Lake
  readonly spec: ModelSpec
  readonly durationMinutes: number
  readonly devices: readonly DeviceRow[]
}

async function readAll(setting: Setting, labels: readonly LabelledDay[]): Promise<FeatureRows> {
  const days = labels.map(({ date }) => Date.parse(`${date}T00:00:00Z`))
  const { lake, durationMinutes, devices } = setting
  return readFeatureRows(lake, {
    durationMinutes,
    devices,
    range: { startMs: Math.min(...days), endMs: Math.max(...days) + dayMs },
  })
}

function rowsOfDays(all: FeatureRows, dates: readonly string[]): FeatureRows {
  const days = new Set(dates.map((date) => Date.parse(`${date}T00:00:00Z`) / dayMs))
  const isWanted = (row: number) => days.has(Math.floor(all.windowStartMs[row]! / dayMs))
  return selectFeatureRows(all, rowsWhere(all.matrix.rowCount, isWanted))
}

/** Raw score at the flag threshold: where the calibration reaches 0.60. */
function rawThreshold({ calibrations }: ModelArtifact): number {
  return calibrations.fleet.anchors[ANCHOR_SCORES.indexOf(FLAG_THRESHOLD)]!
}

async function judge(
  artifact: ModelArtifact,
  rows: FeatureRows,
  day: LabelledDay,
): Promise<Judged> {
  const scored = await scoreRows(artifact, rows)
  const threshold = rawThreshold(artifact)
  const windowCount = scored.scoredRows.length
  const mean = scored.rawScores.reduce((sum, raw) => sum + raw, 0) / windowCount
  const flagged = Uint32Array.from(
    [...scored.scores.keys()].filter((position) => scored.scores[position]! > FLAG_THRESHOLD),
  )
  const counts = new Map<string, number>()
  for (const { contributors } of await explainRows(artifact, rows, scored, flagged)) {
    const first = contributors[0]?.feature
    if (first !== undefined) counts.set(first, (counts.get(first) ?? 0) + 1)
  }
  const [top] = [...counts].toSorted((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))
  return {
    ...day,
    dayScore: mean / threshold,
    windowCount,
    flaggedCount: flagged.length,
    topContributor: top?.[0],
  }
}

/**
 * Judges days whose truth is known, each by a model that never saw it: a healthy day by a model of
 * the other healthy days, a faulty day by a model of all healthy ones.
 * @throws IsothermError INPUT_INVALID with fewer than two healthy days, or a day without data
 */
export async function evaluateDays(
  setting: Setting,
  labels: readonly LabelledDay[],
): Promise<DayEvaluation> {
  const healthy = labels.filter(({ isFaulty }) => !isFaulty)
  if (healthy.length < 2) {
    throw new IsothermError(
      'INPUT_INVALID',
      `an evaluation needs two or more healthy days, found ${healthy.length}; label more days`,
    )
  }
  const all = await readAll(setting, labels)
  const fit = (dates: readonly string[]) =>
    fitArtifact(rowsOfDays(all, dates), setting.spec, { fleet: setting.lake.fleet }).artifact
  const ofAll = fit(healthy.map(({ date }) => date))
  const judged: Judged[] = []
  for (const day of labels) {
    const rows = rowsOfDays(all, [day.date])
    if (rows.matrix.rowCount === 0) {
      throw new IsothermError('INPUT_INVALID', `${day.date} has no feature rows; import that day`)
    }
    const others = healthy.map(({ date }) => date).filter((date) => date !== day.date)
    judged.push(await judge(day.isFaulty ? ofAll : fit(others), rows, day))
  }
  const share = ({ flaggedCount, windowCount }: Judged) => flaggedCount / windowCount
  const usual = Math.max(...judged.filter(({ isFaulty }) => !isFaulty).map(share))
  return {
    modelId: setting.spec.modelId,
    durationMinutes: setting.durationMinutes,
    days: judged.map((day) => ({ ...day, isUnusual: share(day) > usual })),
    dayAuroc: auroc(
      Uint8Array.from(judged, ({ isFaulty }) => (isFaulty ? 1 : 0)),
      Float64Array.from(judged, ({ dayScore }) => dayScore),
    ),
  }
}
