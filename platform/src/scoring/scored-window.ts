import type { IsothermError } from '../contracts/index.ts'
import type { DeploymentRole, Granularity, ScoreContributor } from '../models/index.ts'

/** A flagged, alert-eligible row with what an alert needs to explain itself. */
export type ScoredWindow = {
  readonly scoreId: string
  readonly deviceId: string
  readonly cohortId: string | null
  readonly modelId: string
  readonly modelVersion: string
  readonly durationMinutes: number
  readonly windowStartMs: number
  readonly windowEndMs: number
  readonly granularity: Granularity
  readonly score: number
  readonly rawScore: number
  readonly sensorCompleteness: number
  /** `low` below training completeness: cannot alone raise an alert above MEDIUM (SRV-5). */
  readonly confidence: 'normal' | 'low'
  /** A data ticket, not an equipment alert, MOD-10. */
  readonly isDataQuality: boolean
  /** Strongest first; values and references in the sensor's own unit. */
  readonly contributors: readonly ScoreContributor[]
}

/** Highest eligible score of a device per family in a run, flagged or not (SRV-22, SRV-38). */
export type EligibleScore = {
  readonly scores: Readonly<Record<string, number>>
  /** Earliest start and latest end of the windows behind it. */
  readonly windowStartMs: number
  readonly windowEndMs: number
  /** Lowest among the windows. */
  readonly sensorCompleteness: number
}

/** Why a device was not scored, SRV-5. */
export type ExclusionReason =
  | 'LOW_COMPLETENESS'
  | 'FULL_DROPOUT'
  | 'IMPUTATION_FAILED'
  | 'FEATURE_MISMATCH'
  | 'FEATURES_STALE'

/** A device without a score in a target window. */
export type ScoringExclusion = {
  readonly deviceId: string
  readonly durationMinutes: number
  /** Absent when the reason holds for every model. */
  readonly modelId?: string
  readonly reason: ExclusionReason
}

/** Which deployed version a report speaks of. */
export type RunModel = {
  readonly modelId: string
  readonly modelVersion: string
  readonly durationMinutes: number
  readonly role: DeploymentRole
}

/** What a run did with one deployed version. */
export type ModelRun =
  | (RunModel & {
      readonly kind: 'scored'
      readonly rowCount: number
      readonly flaggedCount: number
      readonly scoredDevices: number
      readonly targetWindowEndMs: number
      /** Version of `model_scores` that holds the rows. */
      readonly tableVersion: number
    })
  | (RunModel & { readonly kind: 'nothing_new' })
  /** The newest complete window is too old to be scored, SRV-34. */
  | (RunModel & { readonly kind: 'stale'; readonly targetWindowEndMs: number })
  | (RunModel & { readonly kind: 'failed'; readonly error: IsothermError })

/** Result of a scoring run, SRV-9; what alerting reads. */
export type ScoringOutcome = {
  readonly runId: string
  readonly scoredAtMs: number
  readonly models: readonly ModelRun[]
  /** Flagged and eligible rows, by device. */
  readonly flagged: readonly ScoredWindow[]
  readonly eligible: ReadonlyMap<string, EligibleScore>
  readonly exclusions: readonly ScoringExclusion[]
  /** True if a deployed version failed: severity counts the models that scored (SRV-34). */
  readonly isPartial: boolean
}
