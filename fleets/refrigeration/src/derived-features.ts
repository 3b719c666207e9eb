import type { DerivedFeature, OperatingMode } from 'isotherm/contracts'

/** The four cross-sensor features of FEA-19. */
export const derivedFeatures: readonly DerivedFeature[] = [
  {
    name: 'pressure_ratio',
    label: 'pressure ratio',
    unit: '',
    group: 'pressure',
    resolution: 0.02,
    formula: {
      kind: 'ratio',
      numerator: 'pressure_high_mean',
      denominator: 'pressure_low_mean',
      denominatorAbove: 0,
    },
  },
  {
    name: 'temp_spread_evap_cond',
    label: 'spread between condenser and evaporator',
    unit: '°C',
    group: 'temperature',
    resolution: 0.1,
    formula: {
      kind: 'difference',
      minuend: 'temp_condenser_mean',
      subtrahend: 'temp_evaporator_mean',
    },
  },
  {
    name: 'temp_spread_discharge_suction',
    label: 'spread between discharge and suction line',
    unit: '°C',
    group: 'temperature',
    resolution: 0.1,
    formula: {
      kind: 'difference',
      minuend: 'temp_discharge_mean',
      subtrahend: 'temp_suction_mean',
    },
  },
  {
    name: 'current_per_temp_spread',
    label: 'current per degree of spread',
    unit: 'A/°C',
    group: 'compressor',
    resolution: 0.002,
    formula: {
      kind: 'ratio',
      numerator: 'current_compressor_mean',
      denominator: 'temp_spread_evap_cond',
      denominatorAbove: 1,
      inclusive: true,
    },
  },
]

/**
 * Tags of a feature row, first match wins, FEA-22; a row that matches none is `normal`. One minute
 * of defrost warms the coil for longer, so any defrost counts. After it the coil cools from about
 * +8 to -25 °C; that pull-down falls into the next hour when the defrost ended near the full hour,
 * and no other cause lets the coil cool by 6 K over a whole hour.
 */
export const operatingModes: readonly OperatingMode[] = [
  { name: 'defrost', feature: 'defrost_active_fraction', atLeast: 0.01 },
  { name: 'recovery', feature: 'temp_evaporator_slope', below: -0.1 },
  { name: 'high_load', feature: 'door_open_fraction', atLeast: 0.25 },
  { name: 'idle', feature: 'current_compressor_mean', below: 0.5 },
]
