/** Which feature columns a model reads, CON-28: all numeric ones, the mean and std ones, or a list. */
export type FeatureSelection = 'all' | 'means_and_stds' | readonly string[]

type CommonSpec = {
  /** Stable family name without version, MOD-3. */
  readonly modelId: string
  readonly features: FeatureSelection
  /** One artifact per duration; the first is the default, MOD-2. */
  readonly windowMinutes: readonly number[]
  /** Share of training rows expected to be flagged, MOD-8; 0.01 to 0.10. */
  readonly contamination: number
  readonly seed: number
}

/** A detector family of a fleet with its hyper-parameters, MOD-2. */
export type ModelSpec =
  | (CommonSpec & {
      readonly kind: 'isolation_forest'
      readonly treeCount: number
      readonly sampleSize: number
      /** Share of the most anomalous training rows dropped before the refit, MOD-38. */
      readonly cleaningFraction: number
    })
  | (CommonSpec & {
      readonly kind: 'robust_baseline'
      /** Own history a device needs before its own statistics are used, MOD-15. */
      readonly minDeviceDays: number
      readonly minDeviceRows: number
      readonly minCohortDevices: number
      /**
       * Operating modes whose rows are compared with rows of the same mode only, per device, cohort
       * and fleet; rows of all other modes share one normal. Default none.
       */
      readonly ownNormalModes?: readonly string[]
    })
  | (CommonSpec & {
      readonly kind: 'knn_distance'
      readonly neighbourCount: number
      readonly maxReferenceRows: number
    })
