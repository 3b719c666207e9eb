import { calibrate, type FeatureMatrix, scoreDetector } from '@isotherm/anomaly'
import type { Granularity, ModelArtifact } from './artifact.ts'
import type { FeatureRows } from './feature-rows.ts'
import { type ImputedRows, imputeRows } from './imputation.ts'
import { judgingGroups, modeLayout, modesOfRows, scoreByMode } from './mode-groups.ts'
import type { ModelThreads } from './model-threads.ts'
import { groupIndices } from './row-groups.ts'

/** Scopes in the order of `RowScores.scopes`. */
export const granularities: readonly Granularity[] = ['fleet', 'cohort', 'device']

/** Scores of the rows that could be scored. All arrays are parallel to `scoredRows`. */
export type RowScores = {
  /** Indices into the given rows, ascending; the rest was dropped by imputation. */
  readonly scoredRows: Uint32Array
  readonly rawScores: Float64Array
  /** In [0, 1], rounded to 6 decimals (SRV-7). */
  readonly scores: Float64Array
  /** Index into `granularities`. */
  readonly scopes: Uint8Array
  /** Model input, one row per scored row, no NaN. */
  readonly input: FeatureMatrix
  /** Groups of the statistics that judged each row; of a baseline per mode. */
  readonly groups: { readonly deviceOfRow: Uint32Array; readonly cohortOfRow: Uint32Array }
  readonly imputed: ImputedRows
}

/**
 * Scores feature rows under an artifact: imputation, detector, frozen calibration. A row's score
 * depends on that row, what is carried for it and the artifact only (MOD-9, SRV-7). Nothing is
 * written; jobs and on-demand evaluations share this function.
 * @param threads threads to score on; the result is the same bit for bit
 * @throws IsothermError MODEL_INVALID if the rows lack a feature of the model
 */
export async function scoreRows(
  artifact: ModelArtifact,
  rows: FeatureRows,
  threads?: ModelThreads,
): Promise<RowScores> {
  const cohortOfAll = groupIndices(rows.cohortIds, artifact.cohortIds)
  const imputed = imputeRows(
    rows,
    artifact.features,
    cohortOfAll,
    artifact.normals,
    threads !== undefined,
  )
  const { matrix, keptRows } = imputed
  const deviceOfAll = groupIndices(rows.deviceIds, artifact.deviceIds)
  const { detector, cohortIds, normalModes } = artifact
  const modeOfAll = modesOfRows(rows.operatingModes, normalModes)
  const plain = {
    deviceOfRow: Uint32Array.from(keptRows, (row) => deviceOfAll[row]!),
    cohortOfRow: Uint32Array.from(keptRows, (row) => cohortOfAll[row]!),
    modeOfRow: Uint8Array.from(keptRows, (row) => modeOfAll[row]!),
  }
  const layout = modeLayout(cohortIds, normalModes)
  const groups =
    detector.kind === 'robust_baseline' ? judgingGroups(detector, plain, layout) : plain
  const { scores: rawScores, scopes } =
    detector.kind === 'robust_baseline'
      ? scoreByMode(detector, matrix, groups, layout)
      : {
          scores: await (threads?.pool.score(detector, matrix) ?? scoreDetector(detector, matrix)),
          scopes: new Uint8Array(keptRows.length),
        }
  return {
    scoredRows: keptRows,
    rawScores,
    scores: calibratedScores(artifact, rawScores, scopes, plain.modeOfRow),
    scopes,
    input: matrix,
    groups,
    imputed,
  }
}

function calibratedScores(
  { calibrations, modeCalibrations }: ModelArtifact,
  rawScores: Float64Array,
  scopes: Uint8Array,
  modeOfRow: Uint8Array,
): Float64Array {
  const anchors = [calibrations, ...modeCalibrations].map((own) =>
    granularities.map((scope) => (own[scope] ?? calibrations[scope] ?? calibrations.fleet).anchors),
  )
  const scores = new Float64Array(rawScores.length)
  for (let row = 0; row < rawScores.length; row++) {
    scores[row] =
      Math.round(calibrate(rawScores[row]!, anchors[modeOfRow[row]!]![scopes[row]!]!) * 1e6) / 1e6
  }
  return scores
}
