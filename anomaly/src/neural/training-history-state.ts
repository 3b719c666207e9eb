import {
  invalidState,
  readFloats,
  readInteger,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import type { TrainingHistory } from './training.ts'

/** Turns decoded data into the history of a training run. */
export function parseTrainingHistory(state: StateObject): TrainingHistory {
  const trainedRowCount = readInteger(state, 'trainedRowCount', 1)
  const heldOutRowCount = readInteger(state, 'heldOutRowCount', 0)
  const trainingLosses = readLosses(state, 'trainingLosses')
  const epochCount = trainingLosses.length
  const heldOutLosses = readFloats(state, 'heldOutLosses', heldOutRowCount > 0 ? epochCount : 0)
  const keptEpoch = readInteger(state, 'keptEpoch', 0, epochCount)
  return { trainedRowCount, heldOutRowCount, trainingLosses, heldOutLosses, keptEpoch }
}

/** One loss per epoch: any number of them. */
function readLosses(state: StateObject, key: string): Float64Array {
  const value = state[key]
  if (!(value instanceof Float64Array)) throw invalidState(key, 'a Float64Array', value)
  return readFloats(state, key, value.length)
}
