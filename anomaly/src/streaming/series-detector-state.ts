import type { ModelState } from '../model-file/model-file.ts'
import {
  invalidState,
  readBoolean,
  readFloats,
  readIndices,
  readInteger,
  readList,
  readLiteral,
  readNumber,
  readNumberOrMissing,
  readObject,
  rebuilt,
} from '../model-file/model-state-reader.ts'
import { emptySeriesDetector, type SeriesDetector } from './series-detector.ts'
import type { SeriesMemory } from './series-memory.ts'
import type { TailModel } from './tail-model.ts'

/**
 * Turns decoded data into a detector of one series that goes on where it stopped.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseSeriesDetector(value: ModelState): SeriesDetector {
  const state = readObject(value, 'series detector')
  readLiteral(state, 'kind', ['series_detector'])
  readLiteral(state, 'stateVersion', [1])
  const memory = readObject(state.memory, 'memory')
  const hits = state.hits
  if (!(hits instanceof Uint8Array)) throw invalidState('hits', 'a Uint8Array', hits)
  const intervalMs = readNumber(state, 'intervalMs')
  // Everything whose size follows from the options is made from them, and then filled.
  const detector = rebuilt('options', () =>
    emptySeriesDetector({
      intervalMs,
      seasonMs: readInteger(memory, 'seasonSlots', 0) * intervalMs,
      alarmProbability: readNumber(state, 'alarmProbability'),
      warmUpRows: readInteger(state, 'warmUpRows', 0),
      minHits: readInteger(state, 'minHits', 1),
      hitWindow: hits.length,
      quietRows: readInteger(state, 'quietRows', 0),
    }),
  )
  detector.hits.set(readIndices(state, 'hits', Uint8Array, hits.length, 2))
  detector.startMs = readNumberOrMissing(state, 'startMs')
  detector.newestMs = readNumberOrMissing(state, 'newestMs')
  detector.missingCount = readInteger(state, 'missingCount', 0)
  detector.quietLeft = readInteger(state, 'quietLeft', 0)
  fillMemory(detector.memory, memory)
  const tails = readList(state, 'tails')
  if (tails.length !== detector.tails.length) {
    throw invalidState('tails', `a list of ${detector.tails.length}`, tails.length)
  }
  for (const [i, tail] of detector.tails.entries()) fillTail(tail, tails[i]!, `tail ${i}`)
  return detector
}

function fillMemory(memory: SeriesMemory, state: ReturnType<typeof readObject>): void {
  const { values, slots, residuals, slotValues } = memory
  values.set(readFloats(state, 'values', values.length))
  slots.set(readFloats(state, 'slots', slots.length))
  residuals.set(readFloats(state, 'residuals', residuals.length))
  slotValues.set(readFloats(state, 'slotValues', slotValues.length, true))
  memory.rowCount = readInteger(state, 'rowCount', 0)
  memory.newestSlot = readInteger(state, 'newestSlot', -1)
  memory.dayError = readNumber(state, 'dayError')
  memory.weekError = readNumber(state, 'weekError')
}

function fillTail(tail: TailModel, value: ModelState, where: string): void {
  const state = readObject(value, where)
  tail.maxima.set(readFloats(state, 'maxima', tail.maxima.length))
  tail.blockCount = readInteger(state, 'blockCount', 0)
  tail.openRows = readInteger(state, 'openRows', 0)
  tail.isFitted = readBoolean(state, 'isFitted')
  for (const name of ['openMaximum', 'threshold', 'scale', 'shape', 'rate'] as const) {
    tail[name] = readNumber(state, name)
  }
  if (!(tail.scale > 0)) throw invalidState(`scale of ${where}`, '> 0', tail.scale)
}
