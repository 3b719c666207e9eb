import { invalidOption, shapeMismatch } from './errors.ts'
import type { FeatureMatrix } from './feature-matrix.ts'

/** Device and cohort of each row to score, as indices; the same indices as in the fit. */
export type ScoredGroups = {
  readonly deviceOfRow: Uint32Array
  /** Absent where the fleet is one cohort. */
  readonly cohortOfRow?: Uint32Array
}

/** Refuses absent groups, and group arrays of another length than the matrix. */
export function requireRowGroups(matrix: FeatureMatrix, groups: ScoredGroups | undefined): void {
  const { deviceOfRow, cohortOfRow } = requireGroups(groups)
  if (deviceOfRow.length !== matrix.rowCount) {
    throw shapeMismatch('deviceOfRow.length', matrix.rowCount, deviceOfRow.length)
  }
  if (cohortOfRow !== undefined && cohortOfRow.length !== matrix.rowCount) {
    throw shapeMismatch('cohortOfRow.length', matrix.rowCount, cohortOfRow.length)
  }
}

/** The groups, or an error where a detector with a normal per group got none. */
export function requireGroups(groups: ScoredGroups | undefined): ScoredGroups {
  if (groups === undefined) {
    throw invalidOption('groups', 'device indices for a detector with a normal per group', groups)
  }
  return groups
}
