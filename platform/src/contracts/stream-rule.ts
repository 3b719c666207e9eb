/** One reading as the stream rules see it: values in canonical units, event time by ING-44. */
export type LiveReading = {
  readonly deviceId: string
  readonly eventId: string
  /** Event time, epoch ms. */
  readonly timeMs: number
  readonly ingestedAtMs: number
  /** Sensor name to value; a missing key and null mean the same. Values below range are absent. */
  readonly values: Readonly<Record<string, number | boolean | null | undefined>>
  /** False for replays and late buffers: state is updated, nothing fires, SRV-14. */
  readonly mayFire: boolean
}

/** State of a rule for one device after a reading, SRV-15. */
export type RulePhase = 'inactive' | 'warming' | 'idle' | 'pending' | 'firing'

/** What a step tells the caller; `fired` is the moment an alert is due. */
export type RuleStep<State> = {
  readonly state: State
  readonly phase: RulePhase
  readonly fired: boolean
  /** On `fired`: the sentence for the technician, with value and limit in units. */
  readonly reason?: string
}

/**
 * A threshold rule over one device's readings in event-time order: plain state, pure step.
 * State must survive JSON, because it is checkpointed.
 */
export type StreamRule<State = unknown> = {
  /** For example `COMPRESSOR_OVERLOAD`. */
  readonly id: string
  /** Sensor column the alert names as its contributor. */
  readonly sensor: string
  readonly group: string
  /** Semantic version of the rule, stored as `model_version`. */
  readonly version: string
  /** Defaults of the tunable thresholds, SRV-21. */
  readonly thresholds: Readonly<Record<string, number>>
  readonly empty: () => State
  /** A method, so that rules with states of their own fit one list of rules. */
  step(
    state: State,
    reading: LiveReading,
    thresholds: Readonly<Record<string, number>>,
  ): RuleStep<State>
}
