import type { LimitRule } from 'isotherm/contracts'

/** Rules that take over when no fresh score exists, SRV-36. */
export const fallbackRules: readonly LimitRule[] = [
  { feature: 'temp_evaporator_mean', above: 0, unlessPositive: 'defrost_active_fraction' },
  { feature: 'vibration_compressor_max', above: 20 },
  { feature: 'pressure_low_mean', below: 100 },
  { feature: 'current_compressor_max', above: 35 },
]

/** The yardstick without machine learning that models must beat, MOD-14; it never alerts. */
export const yardstickRules: readonly LimitRule[] = [
  { feature: 'temp_evaporator_mean', above: -10 },
  { feature: 'vibration_compressor_max', above: 10 },
  { feature: 'current_compressor_max', above: 30 },
  { feature: 'pressure_ratio', below: 2, above: 8 },
]
