import type { ModelState } from '../model-file/model-file.ts'
import {
  invalidState,
  readFloats,
  readIndices,
  readInteger,
  readLiteral,
  readNumber,
  readObject,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import { requireLevel, type Threshold } from './threshold.ts'

const kinds: readonly Threshold['kind'][] = [
  'quantile_threshold',
  'extreme_value_threshold',
  'conformal_threshold',
  'false_discovery_threshold',
  'precision_threshold',
  'alarm_budget_threshold',
  'top_count_threshold',
]

/**
 * Turns decoded data into a threshold of any kind.
 * @throws MODEL_FILE_INVALID naming the field, INVALID_OPTION for a level outside the kind's range
 */
export function parseThreshold(value: ModelState): Threshold {
  const state = readObject(value, 'threshold')
  const threshold = parseKind(state, readLiteral(state, 'kind', kinds))
  requireLevel(threshold)
  return threshold
}

function parseKind(state: StateObject, kind: Threshold['kind']): Threshold {
  const shared = {
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    level: readNumber(state, 'level'),
  }
  switch (kind) {
    case 'quantile_threshold':
    case 'conformal_threshold':
      return { kind, ...shared, sortedScores: readAscending(state, 'sortedScores') }
    case 'false_discovery_threshold':
      return {
        kind,
        ...shared,
        method: readLiteral(state, 'method', ['benjamini_hochberg', 'storey']),
        sortedScores: readAscending(state, 'sortedScores'),
      }
    case 'extreme_value_threshold':
      return { kind, ...shared, ...readTail(state) }
    case 'precision_threshold':
      return { kind, ...shared, ...readPrecisions(state) }
    case 'alarm_budget_threshold': {
      const alarmScores = readAnyLength(state, 'alarmScores')
      requireOrder('alarmScores', alarmScores.toReversed(), true)
      return { kind, ...shared, weeks: readPositive(state, 'weeks'), alarmScores }
    }
    case 'top_count_threshold':
      return { kind, ...shared }
    default:
      return unreachable(kind)
  }
}

function readTail(state: StateObject) {
  const rowCount = readInteger(state, 'rowCount', 1)
  return {
    tailStart: readNumber(state, 'tailStart'),
    shape: readNumber(state, 'shape'),
    scale: readPositive(state, 'scale'),
    excessCount: readInteger(state, 'excessCount', 1, rowCount),
    rowCount,
  }
}

function readPrecisions(state: StateObject) {
  const scores = readAnyLength(state, 'scores')
  requireOrder('scores', scores.toReversed(), false)
  const confidence = readNumber(state, 'confidence')
  if (!(confidence >= 0.5 && confidence < 1)) {
    throw invalidState('confidence', 'in [0.5, 1)', confidence)
  }
  const flaggedCounts = readIndices(state, 'flaggedCounts', Uint32Array, scores.length)
  const truePositiveCounts = readIndices(state, 'truePositiveCounts', Uint32Array, scores.length)
  for (let i = 0; i < scores.length; i++) {
    if (flaggedCounts[i]! <= (flaggedCounts[i - 1] ?? 0)) {
      throw invalidState(`flaggedCounts[${i}]`, 'above the one before', flaggedCounts[i])
    }
    if (truePositiveCounts[i]! > flaggedCounts[i]!) {
      throw invalidState(`truePositiveCounts[${i}]`, `≤ ${flaggedCounts[i]}`, truePositiveCounts[i])
    }
  }
  return { scores, confidence, flaggedCounts, truePositiveCounts }
}

function readAscending(state: StateObject, key: string): Float64Array {
  const values = readAnyLength(state, key)
  requireOrder(key, values, true)
  return values
}

function readAnyLength(state: StateObject, key: string): Float64Array {
  const value = state[key]
  const values = readFloats(state, key, value instanceof Float64Array ? value.length : 1)
  if (values.length === 0) throw invalidState(key, 'at least one score', 'none')
  return values
}

function requireOrder(key: string, ascending: Float64Array, tiesAllowed: boolean): void {
  for (let i = 1; i < ascending.length; i++) {
    const isInOrder = tiesAllowed
      ? ascending[i]! >= ascending[i - 1]!
      : ascending[i]! > ascending[i - 1]!
    if (!isInOrder) throw invalidState(key, 'in order', `${ascending[i - 1]}, ${ascending[i]}`)
  }
}

function readPositive(state: StateObject, key: string): number {
  const value = readNumber(state, key)
  if (!(value > 0)) throw invalidState(key, '> 0', value)
  return value
}

function unreachable(kind: never): never {
  throw invalidState('kind', 'a threshold', kind)
}
