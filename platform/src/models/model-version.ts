import { IsothermError, type ModelSpec } from '../contracts/index.ts'

const pattern = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/

type Parts = readonly [major: number, minor: number, patch: number]

function parts(version: string): Parts {
  const match = pattern.exec(version)
  if (match === null) {
    throw new IsothermError(
      'INPUT_INVALID',
      `model version ${version} is not of the form major.minor.patch, for example 1.0.0`,
    )
  }
  return [Number(match[1]), Number(match[2]), Number(match[3])]
}

/** Negative if `a` is the earlier version, positive if the later, 0 if equal. */
export function compareVersions(a: string, b: string): number {
  const left = parts(a)
  const right = parts(b)
  for (const [index, value] of left.entries()) {
    const difference = value - right[index]!
    if (difference !== 0) return difference
  }
  return 0
}

/** What of an artifact decides the version step. */
export type VersionedShape = {
  readonly features: readonly string[]
  readonly spec: ModelSpec
}

/** Parts of the spec that a patch may change: contamination only moves the calibration, MOD-8. */
function hyperParameters(spec: ModelSpec): string {
  const { contamination: _contamination, windowMinutes: _windows, ...rest } = spec
  return JSON.stringify(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * Next version of an artifact, MOD-3: major for other features or hyper-parameters, minor for a
 * retrain, patch for calibration or threshold only; 1.0.0 for the first.
 */
export function nextVersion(
  previous: (VersionedShape & { readonly modelVersion: string }) | undefined,
  next: VersionedShape,
  change: 'retrain' | 'calibration',
): string {
  if (previous === undefined) return '1.0.0'
  const [major, minor, patch] = parts(previous.modelVersion)
  const isSameShape =
    previous.features.join('\n') === next.features.join('\n') &&
    hyperParameters(previous.spec) === hyperParameters(next.spec)
  if (!isSameShape) return `${major + 1}.0.0`
  return change === 'retrain' ? `${major}.${minor + 1}.0` : `${major}.${minor}.${patch + 1}`
}
