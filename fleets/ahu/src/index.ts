import { defineFleet, type FleetDefinition } from 'isotherm/contracts'
import { sensors } from './sensors.ts'

/**
 * What the unit does to the air, without the weather: a coil that warms or cools while its valve
 * is told to stay shut shows as a combination of these that no healthy hour has.
 */
const behaviour = [
  'supply_air_mean',
  'mixed_air_mean',
  'fan_speed_mean',
  'outdoor_damper_mean',
  'cooling_valve_mean',
  'heating_valve_mean',
  'coil_temperature_rise',
  'mixing_temperature_change',
]

const windowMinutes = [15, 60, 1440]

/** Air handling units: an example of a fleet that fits on a page. */
export const ahu: FleetDefinition = defineFleet({
  name: 'ahu',
  title: 'Air handling units',
  deviceNoun: 'unit',
  equipmentClasses: ['ahu'],
  sensors,
  rangeProfiles: {},
  absolutePressureSensors: [],
  derivedFeatures: [
    {
      name: 'coil_temperature_rise',
      label: 'temperature rise over the coils',
      unit: 'K',
      group: 'coils',
      resolution: 0.1,
      formula: { kind: 'difference', minuend: 'supply_air_mean', subtrahend: 'mixed_air_mean' },
    },
    {
      name: 'mixing_temperature_change',
      label: 'mixed air against return air',
      unit: 'K',
      group: 'air',
      resolution: 0.1,
      formula: { kind: 'difference', minuend: 'mixed_air_mean', subtrahend: 'return_air_mean' },
    },
  ],
  windowMinutes,
  operatingModes: [{ name: 'occupied', feature: 'occupied_fraction', atLeast: 0.5 }],
  firmwareMatrix: [],
  models: [
    {
      kind: 'knn_distance',
      modelId: 'knn_distance',
      features: behaviour,
      windowMinutes: [15],
      contamination: 0.01,
      seed: 42,
      neighbourCount: 10,
      maxReferenceRows: 20_000,
    },
    {
      kind: 'isolation_forest',
      modelId: 'isolation_forest',
      features: behaviour,
      windowMinutes: [15],
      contamination: 0.01,
      seed: 42,
      treeCount: 200,
      sampleSize: 256,
      cleaningFraction: 0,
    },
  ],
  streamRules: [],
  fallbackRules: [],
  yardstickRules: [],
  hints: [
    {
      feature: 'coil_temperature_rise',
      direction: 'high',
      text: 'The heating coil warms the air more than usual: check the heating valve for a leak or a stuck stem.',
    },
    {
      feature: 'coil_temperature_rise',
      direction: 'low',
      text: 'The cooling coil cools the air more than usual: check the cooling valve for a leak or a stuck stem.',
    },
    {
      feature: 'cooling_valve_mean',
      direction: 'high',
      text: 'Cooling works harder than usual: look for heat that should not be there, such as a leaking heating valve.',
    },
    {
      feature: 'heating_valve_mean',
      direction: 'high',
      text: 'Heating works harder than usual: look for cold that should not be there, such as a leaking cooling valve.',
    },
    {
      feature: 'mixing_temperature_change',
      direction: 'high',
      text: 'Mixed air is warmer than the return air explains: check the outdoor air damper.',
    },
    {
      feature: 'mixing_temperature_change',
      direction: 'low',
      text: 'Mixed air is colder than the return air explains: check the outdoor air damper.',
    },
    {
      feature: 'supply_air_mean',
      direction: 'high',
      text: 'Supply air is warmer than usual: compare with the set point, then check the valves.',
    },
    {
      feature: 'supply_air_mean',
      direction: 'low',
      text: 'Supply air is colder than usual: compare with the set point, then check the valves.',
    },
  ],
  bands: [{ sensor: 'occupied', label: 'occupied' }],
  importDefaults: {
    site_id: 'SITE-IMPORT',
    site_name: 'Imported units',
    region: 'import',
    model: 'AHU',
    equipment_class: 'ahu',
    reporting_interval_s: 60,
  },
})
