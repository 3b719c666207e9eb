import type { ModelSpec } from 'isotherm/contracts'

/**
 * Share of training rows that may be flagged, MOD-8. A cabinet yields 24 rows a day, so 2 % is
 * about one flagged hour every two days and unit before deduplication: what a technician who
 * serves a few hundred cabinets can still look through. Cautious sites start at 3 %, the default
 * of the method is 5 %.
 */
const contamination = 0.02

/** The detectors of the fleet, MOD-2: own normal per device, and a forest over everything. */
export const models: readonly ModelSpec[] = [
  {
    kind: 'robust_baseline',
    modelId: 'statistical_baseline',
    features: 'means_and_stds',
    windowMinutes: [60, 15, 1440],
    contamination,
    seed: 42,
    minDeviceDays: 30,
    minDeviceRows: 30,
    minCohortDevices: 30,
  },
  {
    kind: 'isolation_forest',
    modelId: 'isolation_forest',
    features: 'all',
    windowMinutes: [60, 15, 1440],
    contamination,
    seed: 42,
    treeCount: 200,
    sampleSize: 256,
    cleaningFraction: 0.02,
  },
]
