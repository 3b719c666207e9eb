/** One reason for a score: a feature, its value, and what is normal for it (MOD-10). */
export type Contributor = {
  /** Column of `device_features`. */
  readonly feature: string
  /** Value in the window in the feature's own unit; null when it was filled in. */
  readonly value: number | null
  readonly referenceMedian: number
  /** Usual spread around the median, same unit. */
  readonly referenceScale: number
  readonly direction: 'high' | 'low'
  /** Signed share in the score, strongest first. */
  readonly contribution: number
}

/** A window that a model flagged, with its explanation. */
export type ScoredWindow = {
  readonly scoreId: string
  readonly deviceId: string
  readonly windowStartMs: number
  readonly windowEndMs: number
  readonly durationMinutes: number
  readonly modelId: string
  readonly modelVersion: string
  /** 0 to 1, higher is more unusual. */
  readonly score: number
  /** `low` below training completeness: cannot alone raise an alert above MEDIUM, SRV-5. */
  readonly confidence: 'normal' | 'low'
  /** Explained by the data and not by the machine: a data ticket, no alert, MOD-10. */
  readonly dataQuality: boolean
  /** May raise an alert: target window of the run and role that drives alerts, SRV-4. */
  readonly eligible: boolean
  readonly contributors: readonly Contributor[]
}

/** Eligible scores of one device in a run, flagged or not. */
export type DeviceEvidence = {
  /** Share of sensors present in the scored windows; the lowest where they differ. */
  readonly completeness: number
  readonly windows: readonly {
    readonly modelId: string
    readonly score: number
    /** Null when the score was not flagged: only flagged rows are named. */
    readonly scoreId: string | null
    readonly windowStartMs: number
    readonly windowEndMs: number
  }[]
}

/** One scoring run as the alert job sees it, SRV-37. Lookups answer for devices that were scored. */
export type ScoringRun = {
  readonly runId: string
  /** Time of the alert job, `alert_created_at` of what it creates. */
  readonly nowMs: number
  /** Flagged rows of this run. */
  readonly flagged: readonly ScoredWindow[]
  /** Eligible scores of a device, or undefined if it was not scored. */
  readonly evidence: (deviceId: string) => DeviceEvidence | undefined
  /** Score of the same family and duration in the window scored before this run's, SRV-39. */
  readonly previousScore: (
    deviceId: string,
    modelId: string,
    durationMinutes: number,
  ) => { readonly score: number; readonly windowEndMs: number } | undefined
  /** Families that committed scores in this run. */
  readonly modelIds: readonly string[]
}

/** Models whose alerts do not come from scores, CON-33. */
export const ruleModelIds = {
  stream: 'streaming_rules',
  fallback: 'rules_fallback',
  offline: 'offline_rule',
} as const

/** True for alerts that scoring raised. */
export function isScoredModel(modelId: string): boolean {
  return !Object.values<string>(ruleModelIds).includes(modelId)
}
