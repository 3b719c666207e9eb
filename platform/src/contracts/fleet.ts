import type { DeviceRow } from './device-registry.ts'
import type { FeatureDefinition, WindowFormula } from './feature-formula.ts'
import type { ModelSpec } from './model-spec.ts'
import type { FleetSimulator } from './simulator.ts'
import type { StreamRule } from './stream-rule.ts'

/** How a window of readings of one sensor becomes one number, FEA-18. */
export type Aggregate = 'mean' | 'std' | 'min' | 'max' | 'slope' | 'p95' | 'fraction'

/** One sensor of a fleet. A gauge is a number, a counter only rises, a boolean is a state. */
export type Sensor = {
  /** Column name in messages and reading tables. */
  readonly name: string
  /** Prefix of its feature columns. */
  readonly short: string
  /** What a technician calls it, in lower case: "evaporator temperature". */
  readonly label: string
  readonly kind: 'gauge' | 'counter' | 'boolean'
  /** Unit as shown to people: `°C`, `kPa`, `A`, `mm/s`, `%`, `K`; empty for booleans. */
  readonly unit: string
  /** Other spellings of the unit that narrow messages and imports may use, in lower case. */
  readonly unitSynonyms?: readonly string[]
  /** Sensor group for attribution and correlation, MOD-6. */
  readonly group: string
  /** Plausible values, inclusive, CON-3; outside is nulled and flagged. Absent for booleans. */
  readonly range?: readonly [number, number]
  /** Values in range but below this are kept and flagged `SUSPECT_VALUE`. */
  readonly suspectBelow?: number
  /** Resolution floor `r` of FEA section 3: the smallest spread that may divide. */
  readonly resolution: number
  readonly aggregates: readonly Aggregate[]
  readonly meaning: string
}

/** A feature computed from other features of the same window, FEA-19. */
export type DerivedFeature = FeatureDefinition<WindowFormula>

/** A feature outside the stored catalogue: experimental, or made when a model reads it, FEA-24 ff. */
export type ModelFeature = FeatureDefinition

/** First matching mode tags a feature row, FEA-22. Null inputs do not match. */
export type OperatingMode = {
  readonly name: string
  readonly feature: string
  readonly atLeast?: number
  readonly below?: number
}

/** A plain limit on a feature, for fallback (SRV-36) and the yardstick (MOD-14). */
export type LimitRule = {
  readonly feature: string
  readonly above?: number
  readonly below?: number
  /** The rule is skipped while this feature is above zero (defrost). */
  readonly unlessPositive?: string
}

/** What an unusual feature usually means, in plain words for the technician, FEA-21. */
export type Hint = {
  readonly feature: string
  readonly direction: 'high' | 'low'
  readonly text: string
}

/** Everything Isotherm knows about one kind of equipment. Data and small pure functions. */
export type FleetDefinition = {
  /** Short name, also used on the command line: `refrigeration`. */
  readonly name: string
  readonly title: string
  /** What one device is called: "cabinet". */
  readonly deviceNoun: string
  readonly equipmentClasses: readonly string[]
  readonly sensors: readonly Sensor[]
  /** Ranges of other equipment classes that differ from the sensors' own, CON-4. */
  readonly rangeProfiles: Readonly<
    Record<string, Readonly<Record<string, readonly [number, number]>>>
  >
  /**
   * Wider ranges while a unit idles, CON-4: they hold beside the ordinary ones in rows where `sensor`
   * reads less than `below`. Absent: off.
   */
  readonly idleBounds?: {
    readonly sensor: string
    readonly below: number
    readonly ranges: Readonly<Record<string, readonly [number, number]>>
  }
  /** Sensors given against atmosphere on `gauge` devices; cleansing adds 101.325 kPa. */
  readonly absolutePressureSensors: readonly string[]
  readonly derivedFeatures: readonly DerivedFeature[]
  /**
   * Features that models may ask for beside the stored ones. Lags, changes, rates, deviations and
   * cohort distances of each stored feature need no entry: their names say what they are.
   */
  readonly modelFeatures?: readonly ModelFeature[]
  /** Minutes; the first is the default for scoring and alerting. */
  readonly windowMinutes: readonly number[]
  readonly operatingModes: readonly OperatingMode[]
  /** Sensors absent from firmware below a version, ING-51: {below: '3.0', absent: [...]}. */
  readonly firmwareMatrix: readonly { readonly below: string; readonly absent: readonly string[] }[]
  readonly models: readonly ModelSpec[]
  readonly streamRules: readonly StreamRule[]
  readonly fallbackRules: readonly LimitRule[]
  readonly yardstickRules: readonly LimitRule[]
  readonly hints: readonly Hint[]
  /** Boolean sensors whose true spans are drawn as bands behind charts. */
  readonly bands: readonly { readonly sensor: string; readonly label: string }[]
  /** Devices that an import creates when the file has no device column. */
  readonly importDefaults: Partial<DeviceRow>
  readonly simulator?: FleetSimulator
}

export { defineFleet } from './define-fleet.ts'
