import type { ModelState } from '../model-file/model-file.ts'
import {
  invalidState,
  readInteger,
  readList,
  readLiteral,
  readNumber,
  readObject,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import type { HyperSearch, Trial, TrialOutcome } from './hyper-search.ts'
import {
  encodeParameters,
  type ParametersOf,
  requireSpace,
  type SearchDimension,
  type SearchSpace,
} from './search-space.ts'

/**
 * Turns decoded data into a search that can go on.
 * @throws MODEL_FILE_INVALID, INVALID_OPTION naming the field
 */
export function parseSearch(value: ModelState): HyperSearch {
  const state = readObject(value, 'hyper search')
  const space = Object.fromEntries(
    Object.entries(readObject(state.space, 'space')).map(([name, dimension]) => [
      name,
      parseDimension(readObject(dimension, `space.${name}`), name),
    ]),
  )
  requireSpace(space)
  return {
    kind: readLiteral(state, 'kind', ['hyper_search']),
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    space,
    seed: readInteger(state, 'seed', 0),
    trials: readList(state, 'trials').map((trial) => parseTrial(space, trial)),
  }
}

function parseDimension(state: StateObject, name: string): SearchDimension {
  const kind = readLiteral(state, 'kind', ['float', 'integer', 'choice'])
  if (kind === 'choice') {
    const values = readList(state, 'values')
    return { kind, values: values.map((value) => requirePlain(value, `space.${name}.values`)) }
  }
  const range = { minimum: readNumber(state, 'minimum'), maximum: readNumber(state, 'maximum') }
  if (state.scale === undefined) return { kind, ...range }
  return { kind, ...range, scale: readLiteral(state, 'scale', ['linear', 'log']) }
}

function parseTrial(space: SearchSpace, value: ModelState): Trial {
  const state = readObject(value, 'trial')
  const given = readObject(state.parameters, 'trial.parameters')
  const parameters: ParametersOf<SearchSpace> = Object.fromEntries(
    Object.entries(given).map(([name, found]) => [name, requirePlain(found, name)]),
  )
  encodeParameters(space, parameters)
  return { parameters, outcome: parseOutcome(readObject(state.outcome, 'trial.outcome')) }
}

function parseOutcome(state: StateObject): TrialOutcome {
  const kind = readLiteral(state, 'kind', ['measured', 'failed'])
  if (kind === 'measured') return { kind, loss: readNumber(state, 'loss') }
  if (typeof state.reason === 'string') return { kind, reason: state.reason }
  throw invalidState('trial.outcome.reason', 'a text', state.reason)
}

function requirePlain(value: ModelState, where: string): string | number | boolean {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value
  }
  throw invalidState(where, 'a text, number or boolean', value)
}
