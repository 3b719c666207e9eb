import {
  explainDetector,
  type GroupStatistics,
  selectRows,
  topContributors,
} from '@isotherm/anomaly'
import { qualityFeatureNames } from '../contracts/index.ts'
import type { ModelArtifact } from './artifact.ts'
import type { FeatureRows } from './feature-rows.ts'
import { isCohortReady } from './mode-groups.ts'
import type { ModelThreads } from './model-threads.ts'
import type { RowScores } from './score-rows.ts'

/** Contributors named per row, MOD-10. */
export const CONTRIBUTOR_COUNT = 5

/** One feature's part in a score, with what it was and what it normally is, in its own unit. */
export type ScoreContributor = {
  readonly feature: string
  /** Signed z for a baseline, share of the score for other detectors. */
  readonly contribution: number
  /** Against the reference median. */
  readonly direction: 'high' | 'low'
  readonly value: number
  readonly referenceMedian: number
  readonly referenceScale: number
  /** True if nobody measured the value: it was carried over or filled with a median. */
  readonly isImputed: boolean
}

/** Why one row scored as it did. */
export type RowExplanation = {
  /** Strongest first, at most five. */
  readonly contributors: readonly ScoreContributor[]
  /** Contribution of every feature, in the artifact's order. */
  readonly contributions: Float64Array
  /** The strongest contributor describes the data and not the machine, MOD-10. */
  readonly isDataQuality: boolean
}

/**
 * Explains scored rows (MOD-10): TreeSHAP for a forest, signed z for a baseline, distance shares
 * for neighbours. A row whose strongest contributor counts readings, or was imputed, is marked as
 * a matter of data: an alert must not rest on a value nobody measured.
 * @param positions positions in `scored.scoredRows`
 * Cost: about 1 ms a row for a forest of 200 trees.
 */
export async function explainRows(
  artifact: ModelArtifact,
  rows: FeatureRows,
  scored: RowScores,
  positions: Uint32Array,
  threads?: ModelThreads,
): Promise<readonly RowExplanation[]> {
  if (positions.length === 0) return []
  const { detector, features } = artifact
  const width = features.length
  const groups = {
    deviceOfRow: Uint32Array.from(positions, (at) => scored.groups.deviceOfRow[at]!),
    cohortOfRow: Uint32Array.from(positions, (at) => scored.groups.cohortOfRow[at]!),
  }
  const input = selectRows(scored.input, positions)
  const all =
    threads === undefined || detector.kind === 'robust_baseline'
      ? explainDetector(detector, input, range(input.rowCount), groups)
      : await threads.explain(detector, input)
  return Array.from(positions, (at, index) => {
    const contributions = all.subarray(index * width, (index + 1) * width)
    const isSigned = detector.kind === 'robust_baseline'
    const top = topContributors(contributions, features, {
      count: CONTRIBUTOR_COUNT,
      positiveOnly: !isSigned,
    })
    const measured = measuredCells(rows, scored.scoredRows[at]!)
    const contributors = top.map(({ name, column, value: contribution }): ScoreContributor => {
      const value = input.values[index * width + column]!
      const reference = referenceOf(artifact, scored, at, column)
      return {
        feature: name,
        contribution,
        direction: value >= reference.median ? 'high' : 'low',
        value,
        referenceMedian: reference.median,
        referenceScale: reference.scale,
        isImputed: !measured(name),
      }
    })
    const [first] = contributors
    return {
      contributors,
      contributions,
      isDataQuality:
        first !== undefined && (first.isImputed || qualityFeatureNames.includes(first.feature)),
    }
  })
}

function range(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => index)
}

function measuredCells(rows: FeatureRows, row: number): (name: string) => boolean {
  const { columnNames, values } = rows.matrix
  return (name) => {
    const cell = values[row * columnNames.length + columnNames.indexOf(name)]!
    return !Number.isNaN(cell)
  }
}

/** Median and scale of the statistics that judged the row; for forests its cohort's, else the fleet's. */
function referenceOf(
  { detector, normals, features }: ModelArtifact,
  { groups, scopes }: RowScores,
  at: number,
  column: number,
): { readonly median: number; readonly scale: number } {
  const cohort = groups.cohortOfRow[at]!
  const candidates: (readonly [GroupStatistics, number])[] =
    detector.kind !== 'robust_baseline'
      ? [[normals.cohorts, cohort]]
      : scopes[at] === 2
        ? [[detector.devices, groups.deviceOfRow[at]!]]
        : isCohortReady(detector, cohort)
          ? [[detector.cohorts, cohort]]
          : []
  for (const [statistics, group] of candidates) {
    if (group >= statistics.groupCount) continue
    const median = statistics.centres[group * features.length + column]!
    if (!Number.isNaN(median)) {
      return { median, scale: statistics.scales[group * features.length + column]! }
    }
  }
  return { median: normals.fleet.centres[column]!, scale: normals.fleet.scales[column]! }
}
