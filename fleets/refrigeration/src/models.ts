import type { ModelSpec } from 'isotherm/contracts'

/**
 * What a cabinet does by itself: means and variations of its machine, and how far apart its coil
 * and condenser are. Room temperature and humidity follow the weather and the customers, and the
 * shares of time with an open door or in defrost are no measure of the machine.
 */
const ownBehaviour: readonly string[] = [
  ...['temp_evaporator', 'temp_condenser', 'temp_discharge', 'temp_suction'],
  ...['pressure_high', 'pressure_low', 'current_compressor', 'vibration_compressor'],
  ...['superheat', 'subcooling'],
]
  .flatMap((short) => [`${short}_mean`, `${short}_std`])
  .concat('temp_spread_evap_cond')

/**
 * The detectors of the fleet, MOD-2: own normal per device, and a forest over everything. Both look
 * at whole hours: a compressor cycle of half an hour is longer than a 15-minute window.
 * docs/decisions/baseline-by-operating-mode.md says why the numbers are what they are.
 */
export const models: readonly ModelSpec[] = [
  {
    kind: 'robust_baseline',
    modelId: 'statistical_baseline',
    features: ownBehaviour,
    windowMinutes: [60],
    contamination: 0.05,
    seed: 42,
    // Defrost cycles repeat three times a day: a week shows each mode often enough.
    minDeviceDays: 7,
    minDeviceRows: 10,
    minCohortDevices: 30,
    ownNormalModes: ['defrost', 'recovery'],
  },
  {
    kind: 'isolation_forest',
    modelId: 'isolation_forest',
    features: 'all',
    windowMinutes: [60],
    // It sees a fleet and no single device, so it only seconds what stands out from all.
    contamination: 0.01,
    seed: 42,
    treeCount: 200,
    sampleSize: 256,
    cleaningFraction: 0.02,
  },
]
