import { defineFleet } from './define-fleet.ts'
import type { FleetDefinition } from './fleet.ts'

/**
 * A fleet of two gauges and a state: the smallest that exercises every kind of column. For tests
 * of stages and as a skeleton to copy.
 */
export const exampleFleet: FleetDefinition = defineFleet({
  name: 'example',
  title: 'Example units',
  deviceNoun: 'unit',
  equipmentClasses: ['example'],
  sensors: [
    {
      name: 'temperature',
      short: 'temp',
      label: 'temperature',
      kind: 'gauge',
      unit: '°C',
      unitSynonyms: ['c', 'celsius'],
      group: 'temperature',
      range: [-40, 60],
      resolution: 0.1,
      aggregates: ['mean', 'std', 'min', 'max', 'slope'],
      meaning: 'Air temperature in the unit',
    },
    {
      name: 'pressure',
      short: 'pressure',
      label: 'pressure',
      kind: 'gauge',
      unit: 'kPa',
      unitSynonyms: ['kilopascal'],
      group: 'pressure',
      range: [0, 1000],
      resolution: 2,
      aggregates: ['mean', 'std', 'p95'],
      meaning: 'Absolute pressure',
    },
    {
      name: 'door_open',
      short: 'door_open',
      label: 'door open',
      kind: 'boolean',
      unit: '',
      group: 'environment',
      resolution: 0.01,
      aggregates: ['fraction'],
      meaning: 'true = open',
    },
  ],
  rangeProfiles: {},
  absolutePressureSensors: ['pressure'],
  derivedFeatures: [
    {
      name: 'pressure_per_degree',
      label: 'pressure per degree',
      unit: 'kPa/°C',
      group: 'pressure',
      resolution: 0.1,
      formula: {
        kind: 'ratio',
        numerator: 'pressure_mean',
        denominator: 'temp_mean',
        denominatorAbove: 1,
        inclusive: true,
      },
    },
  ],
  windowMinutes: [60, 15, 1440],
  operatingModes: [{ name: 'open', feature: 'door_open_fraction', atLeast: 0.5 }],
  firmwareMatrix: [],
  models: [
    {
      kind: 'robust_baseline',
      modelId: 'statistical_baseline',
      features: 'means_and_stds',
      windowMinutes: [60, 15],
      contamination: 0.05,
      seed: 42,
      minDeviceDays: 30,
      minDeviceRows: 30,
      minCohortDevices: 30,
    },
  ],
  streamRules: [],
  fallbackRules: [],
  yardstickRules: [],
  hints: [],
  bands: [{ sensor: 'door_open', label: 'door open' }],
  importDefaults: {},
})
