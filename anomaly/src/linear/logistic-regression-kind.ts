import type { DetectorKind } from '../detector-kind.ts'
import {
  type FeatureMatrix,
  requireColumns,
  requireFiniteRows,
  requireRowIndices,
} from '../feature-matrix.ts'
import type { ModelState } from '../model-file/model-file.ts'
import {
  readColumnNames,
  readFloats,
  readInteger,
  readLiteral,
  readNumber,
  readObject,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import { type LogisticRegression, writeLogisticMargins } from './logistic-regression.ts'
import { abnormalShares, linkMargins } from './margin-link.ts'

/**
 * Logistic regression as a detector, so that pools and model files take it. The score is the
 * probability of class 1, or with several classes of any class but 0 (the normal one); the
 * explanation is in log-odds of class 1, or the logit of class 0 with its sign turned.
 */
export const logisticRegressionKind: DetectorKind<LogisticRegression> = {
  kind: 'logistic_regression',
  missingValues: 'refused',
  needsGroups: false,
  scoreRows: (model, values, _, rowStart, rowEnd, out) =>
    scoreRows(model, values, rowStart, rowEnd, out),
  explainRows: (model, matrix, rowIndices) => {
    const contributions = explainLogisticRegression(model, matrix, rowIndices)
    return model.outputCount === 1 ? contributions : ofClass0(model, contributions)
  },
  parse,
}

/**
 * Contribution of each column to the margins of the given rows: coefficient · (cell − mean). They
 * sum to the margin minus that of the mean row, and are the Shapley values of a linear model.
 * @returns rowIndices.length × outputCount × columns
 * @throws COLUMN_MISMATCH, NOT_FINITE, INVALID_OPTION for an index outside the matrix
 * Cost O(rows · outputs · columns). Source: Štrumbelj & Kononenko 2014, section 4.1.
 */
export function explainLogisticRegression(
  { columnNames, outputCount, coefficients, means }: LogisticRegression,
  matrix: FeatureMatrix,
  rowIndices: ArrayLike<number>,
): Float64Array {
  requireColumns(columnNames, matrix)
  requireRowIndices(matrix, rowIndices)
  requireFiniteRows('logistic regression explain', matrix, rowIndices)
  const columnCount = columnNames.length
  const contributions = new Float64Array(rowIndices.length * coefficients.length)
  for (let i = 0; i < rowIndices.length; i++) {
    const cells = rowIndices[i]! * columnCount
    for (let output = 0; output < outputCount; output++) {
      for (let c = 0; c < columnCount; c++) {
        const at = output * columnCount + c
        contributions[i * coefficients.length + at] =
          coefficients[at]! * (matrix.values[cells + c]! - means[c]!)
      }
    }
  }
  return contributions
}

/**
 * Turns decoded data into a logistic regression.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseLogisticRegression(value: ModelState): LogisticRegression {
  return parse(readObject(value, 'logistic regression'))
}

function scoreRows(
  model: LogisticRegression,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
  out: Float64Array,
): void {
  const { outputCount, columnNames } = model
  if (outputCount === 1) {
    writeLogisticMargins(model, values, rowStart, rowEnd, out)
    linkMargins(1, out, rowStart, rowEnd)
    return
  }
  const columnCount = columnNames.length
  const cells = values.subarray(rowStart * columnCount, rowEnd * columnCount)
  const shares = new Float64Array((rowEnd - rowStart) * outputCount)
  writeLogisticMargins(model, cells, 0, rowEnd - rowStart, shares)
  linkMargins(outputCount, shares, 0, rowEnd - rowStart)
  abnormalShares(shares, outputCount, rowStart, out)
}

function ofClass0(model: LogisticRegression, contributions: Float64Array): Float64Array {
  const columnCount = model.columnNames.length
  const stride = model.coefficients.length
  const rowCount = contributions.length / stride
  const out = new Float64Array(rowCount * columnCount)
  for (let i = 0; i < out.length; i++) {
    const row = Math.floor(i / columnCount)
    out[i] = 0 - contributions[row * stride + (i % columnCount)]!
  }
  return out
}

function parse(state: StateObject): LogisticRegression {
  const columnNames = readColumnNames(state)
  const outputCount = readInteger(state, 'outputCount', 1, 1000)
  return {
    kind: readLiteral(state, 'kind', ['logistic_regression']),
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    outputCount,
    l2: readNumber(state, 'l2'),
    intercepts: readFloats(state, 'intercepts', outputCount),
    coefficients: readFloats(state, 'coefficients', outputCount * columnNames.length),
    means: readFloats(state, 'means', columnNames.length),
  }
}
