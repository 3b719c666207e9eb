import type { ModelState } from '../model-file/model-file.ts'
import {
  invalidState,
  readFloats,
  readInteger,
  readLiteral,
  readNumber,
  readObject,
} from '../model-file/model-state-reader.ts'
import type { Calibration } from './calibration.ts'

/**
 * Turns decoded data into a calibration.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseCalibration(value: ModelState): Calibration {
  const state = readObject(value, 'calibration')
  const anchors = readFloats(state, 'anchors', 4)
  for (let i = 1; i < 4; i++) {
    if (!(anchors[i]! > anchors[i - 1]!)) {
      throw invalidState('anchors', 'strictly increasing', anchors.join(', '))
    }
  }
  return {
    kind: readLiteral(state, 'kind', ['calibration']),
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    contamination: readNumber(state, 'contamination'),
    rowCount: readInteger(state, 'rowCount', 1),
    anchors,
    quantiles: readFloats(state, 'quantiles', 1001),
    quantile9995: readNumber(state, 'quantile9995'),
    maximum: readNumber(state, 'maximum'),
  }
}
