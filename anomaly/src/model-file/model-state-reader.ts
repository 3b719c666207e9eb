import { AnomalyError } from '../errors.ts'
import type { ModelState } from './model-file.ts'

/** An object inside a decoded model. */
export type StateObject = { readonly [key: string]: ModelState }

/** The value as an object, or an error that names `where`. */
export function readObject(value: ModelState | undefined, where: string): StateObject {
  if (isStateObject(value)) return value
  throw invalidState(where, 'an object', value)
}

/** An integer field in [minimum, maximum]. */
export function readInteger(
  state: StateObject,
  key: string,
  minimum: number,
  maximum = Number.MAX_SAFE_INTEGER,
): number {
  const value = state[key]
  if (
    typeof value === 'number' &&
    Number.isInteger(value) &&
    value >= minimum &&
    value <= maximum
  ) {
    return value
  }
  throw invalidState(key, `an integer in [${minimum}, ${maximum}]`, value)
}

/** A number field that is not NaN. */
export function readNumber(state: StateObject, key: string): number {
  const value = state[key]
  if (typeof value === 'number' && !Number.isNaN(value)) return value
  throw invalidState(key, 'a number', value)
}

/** A number field in which NaN stands for none yet. */
export function readNumberOrMissing(state: StateObject, key: string): number {
  const value = state[key]
  if (typeof value === 'number') return value
  throw invalidState(key, 'a number or NaN', value)
}

/** A field that is true or false. */
export function readBoolean(state: StateObject, key: string): boolean {
  const value = state[key]
  if (typeof value === 'boolean') return value
  throw invalidState(key, 'true or false', value)
}

/** A field of text. */
export function readText(state: StateObject, key: string): string {
  const value = state[key]
  if (typeof value === 'string') return value
  throw invalidState(key, 'a text', value)
}

/** A field that is a list. */
export function readList(state: StateObject, key: string): readonly ModelState[] {
  const value = state[key]
  if (isList(value)) return value
  throw invalidState(key, 'a list', value)
}

/** What a constructor makes of decoded options; options that it refuses are a wrong file. */
export function rebuilt<T>(where: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof AnomalyError) || error.code === 'MODEL_FILE_INVALID') throw error
    throw invalidState(where, `valid (${error.message})`, 'other')
  }
}

/** A field that holds exactly one of the given literals. */
export function readLiteral<T extends string | number>(
  state: StateObject,
  key: string,
  literals: readonly T[],
): T {
  const found = literals.find((literal) => literal === state[key])
  if (found === undefined) throw invalidState(key, `one of ${literals.join(', ')}`, state[key])
  return found
}

/** A field of distinct, at least one, column names. */
export function readColumnNames(state: StateObject): readonly string[] {
  const value = state.columnNames
  if (!Array.isArray(value) || value.length === 0) {
    throw invalidState('columnNames', 'a list of names', value)
  }
  const names = value.filter((name) => typeof name === 'string')
  if (names.length !== value.length || new Set(names).size !== names.length) {
    throw invalidState('columnNames', 'distinct strings', value)
  }
  return names
}

/** A Float64Array field of `length` values; without NaN unless `missingAllowed`. */
export function readFloats(
  state: StateObject,
  key: string,
  length: number,
  missingAllowed = false,
): Float64Array {
  const value = state[key]
  if (!(value instanceof Float64Array) || value.length !== length) {
    throw invalidState(key, `a Float64Array of ${length}`, describe(value))
  }
  if (!missingAllowed && value.some(Number.isNaN)) throw invalidState(key, 'no NaN', 'NaN')
  return value
}

/** A Float32Array field of `length` values, without NaN. */
export function readFloat32s(state: StateObject, key: string, length: number): Float32Array {
  const value = state[key]
  if (!(value instanceof Float32Array) || value.length !== length) {
    throw invalidState(key, `a Float32Array of ${length}`, describe(value))
  }
  if (value.some(Number.isNaN)) throw invalidState(key, 'no NaN', 'NaN')
  return value
}

/** A typed-array field of `length` integers below `bound`. */
export function readIndices<T extends Uint8Array | Uint16Array | Uint32Array>(
  state: StateObject,
  key: string,
  arrayType: new (length: number) => T,
  length: number,
  bound = Number.POSITIVE_INFINITY,
): T {
  const value = state[key]
  if (!(value instanceof arrayType) || value.length !== length) {
    throw invalidState(key, `a ${arrayType.name} of ${length}`, describe(value))
  }
  for (let i = 0; i < value.length; i++) {
    if (!(value[i]! < bound)) throw invalidState(`${key}[${i}]`, `below ${bound}`, value[i])
  }
  return value
}

/** Error for decoded data that is no valid model. */
export function invalidState(where: string, expected: string, found: unknown): AnomalyError {
  return new AnomalyError(
    'MODEL_FILE_INVALID',
    `model state: ${where} is ${describe(found)}, expected ${expected}`,
    { where, expected },
  )
}

function isList(value: ModelState | undefined): value is readonly ModelState[] {
  return Array.isArray(value)
}

function isStateObject(value: ModelState | undefined): value is StateObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value)
  )
}

function describe(value: unknown): string {
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
