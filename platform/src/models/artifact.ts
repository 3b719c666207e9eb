import {
  type Calibration,
  type Detector,
  decodeModel,
  encodeModel,
  type GroupStatistics,
  type ModelState,
  parseCalibration,
  parseDetector,
} from '@isotherm/anomaly'
import { IsothermError } from '../contracts/index.ts'
import type { Normals } from './imputation.ts'

/** Flag threshold of every family, MOD-8: equal to the LOW floor. */
export const FLAG_THRESHOLD = 0.6

/** Whose statistics judged a row, in the order of the detector's scopes. */
export type Granularity = 'fleet' | 'cohort' | 'device'

/** One calibration per scope in use, MOD-15. */
export type ScopedCalibrations = { readonly [scope in Granularity]?: Calibration }

/**
 * A trained model as plain data: everything a score depends on and nothing else, so that equal
 * training gives equal bytes (MOD-39). It has no version and no time.
 */
export type ModelArtifact = {
  readonly stateVersion: 1
  readonly modelId: string
  readonly durationMinutes: number
  /** Model input in order, CON-28. */
  readonly features: readonly string[]
  readonly detector: Detector
  /** Groups of the detector and of `normals`. */
  readonly cohortIds: readonly string[]
  readonly deviceIds: readonly string[]
  /** Operating modes with a normal of their own: the groups of a baseline are per mode. */
  readonly normalModes: readonly string[]
  /** Medians for imputation and reference levels for explanations, per feature. */
  readonly normals: Normals
  /** Share of nulls per feature among the training rows. */
  readonly nullFractions: Float64Array
  /** One per scope in use, MOD-15; other families have the fleet's only. */
  readonly calibrations: ScopedCalibrations & { readonly fleet: Calibration }
  /** Those of each of `normalModes`; a scope that is absent uses the one above. */
  readonly modeCalibrations: readonly ScopedCalibrations[]
}

/** Bytes of an artifact; equal artifacts give equal bytes. */
export function encodeArtifact(artifact: ModelArtifact): Uint8Array {
  const { calibrations, modeCalibrations, ...rest } = artifact
  const present = (scopes: ScopedCalibrations): { readonly [scope: string]: Calibration } =>
    Object.fromEntries(Object.entries(scopes).filter((entry) => entry[1] !== undefined))
  return encodeModel({
    ...rest,
    calibrations: present(calibrations),
    modeCalibrations: modeCalibrations.map(present),
  })
}

/**
 * Reads an artifact back.
 * @throws AnomalyError MODEL_FILE_INVALID for damaged bytes; IsothermError MODEL_INVALID if the
 *   content is no artifact of this release
 */
export function decodeArtifact(bytes: Uint8Array): ModelArtifact {
  const state = asObject(decodeModel(bytes), 'artifact')
  if (state.stateVersion !== 1) throw invalid('stateVersion', '1', state.stateVersion)
  const detector = parseDetector(member(state, 'detector'))
  const features = texts(state, 'features')
  if (features.join('\n') !== detector.columnNames.join('\n')) {
    throw invalid('features', detector.columnNames.join(', '), features.join(', '))
  }
  const cohortIds = texts(state, 'cohortIds')
  const normals = asObject(member(state, 'normals'), 'normals')
  const calibrations = asObject(member(state, 'calibrations'), 'calibrations')
  const nullFractions = state.nullFractions
  if (!(nullFractions instanceof Float64Array) || nullFractions.length !== features.length) {
    throw invalid('nullFractions', `${features.length} numbers`, typeof nullFractions)
  }
  // Artifacts of earlier releases know no modes.
  const normalModes = state.normalModes === undefined ? [] : texts(state, 'normalModes')
  const modeCalibrations = state.modeCalibrations ?? []
  if (!Array.isArray(modeCalibrations) || modeCalibrations.length !== normalModes.length) {
    throw invalid('modeCalibrations', `one per mode of ${normalModes.length}`, 'others')
  }
  const { modelId, durationMinutes } = state
  if (typeof modelId !== 'string') throw invalid('modelId', 'a text', modelId)
  if (typeof durationMinutes !== 'number')
    throw invalid('durationMinutes', 'a number', durationMinutes)
  return {
    stateVersion: 1,
    modelId,
    durationMinutes,
    features,
    detector,
    cohortIds,
    deviceIds: texts(state, 'deviceIds'),
    normalModes,
    normals: {
      fleet: statistics(normals, 'fleet', 1, features.length),
      cohorts: statistics(normals, 'cohorts', cohortIds.length, features.length),
    },
    nullFractions,
    calibrations: {
      ...scopedCalibrations(calibrations),
      fleet: parseCalibration(member(calibrations, 'fleet')),
    },
    modeCalibrations: modeCalibrations.map((scopes: ModelState) =>
      scopedCalibrations(asObject(scopes, 'modeCalibrations')),
    ),
  }
}

function scopedCalibrations({ fleet, cohort, device }: StateObject): ScopedCalibrations {
  return {
    ...(fleet === undefined ? {} : { fleet: parseCalibration(fleet) }),
    ...(cohort === undefined ? {} : { cohort: parseCalibration(cohort) }),
    ...(device === undefined ? {} : { device: parseCalibration(device) }),
  }
}

type StateObject = { readonly [key: string]: ModelState }

function asObject(value: ModelState, where: string): StateObject {
  const isObject =
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value)
  if (!isObject) throw invalid(where, 'an object', value)
  return value as StateObject
}

function member(state: StateObject, key: string): ModelState {
  const value = state[key]
  if (value === undefined) throw invalid(key, 'present', value)
  return value
}

function texts(state: StateObject, key: string): readonly string[] {
  const value = state[key]
  if (!Array.isArray(value)) throw invalid(key, 'a list of texts', value)
  return value.map((item) => {
    if (typeof item !== 'string') throw invalid(key, 'a list of texts', item)
    return item
  })
}

function statistics(
  parent: StateObject,
  key: string,
  groupCount: number,
  columnCount: number,
): GroupStatistics {
  const { centres, scales, rowCounts } = asObject(member(parent, key), key)
  const cells = groupCount * columnCount
  const isWhole =
    centres instanceof Float64Array &&
    centres.length === cells &&
    scales instanceof Float64Array &&
    scales.length === cells &&
    rowCounts instanceof Uint32Array &&
    rowCounts.length === groupCount
  if (!isWhole)
    throw invalid(`normals.${key}`, `${groupCount} × ${columnCount} statistics`, 'others')
  return { groupCount, centres, scales, rowCounts }
}

function invalid(where: string, expected: string, found: unknown): IsothermError {
  return new IsothermError(
    'MODEL_INVALID',
    `model artifact: ${where} is ${String(found)}, expected ${expected}; train the model again`,
  )
}
