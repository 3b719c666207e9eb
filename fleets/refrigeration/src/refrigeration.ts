import { defineFleet, type FleetDefinition } from 'isotherm/contracts'
import { derivedFeatures, operatingModes } from './derived-features.ts'
import { firmwareMatrix } from './firmware.ts'
import { hints } from './hints.ts'
import { fallbackRules, yardstickRules } from './limit-rules.ts'
import { modelFeatures } from './model-features.ts'
import { models } from './models.ts'
import { streamRules } from './rules/index.ts'
import { sensors } from './sensors.ts'
import { simulator } from './simulator/index.ts'

/** Refrigeration cabinets and heat pumps: 14 sensors, 45 features, and physics to try it with. */
export const refrigeration: FleetDefinition = defineFleet({
  name: 'refrigeration',
  title: 'Refrigeration',
  deviceNoun: 'cabinet',
  equipmentClasses: ['refrigeration', 'heat_pump'],
  sensors,
  rangeProfiles: {
    heat_pump: {
      temperature_evaporator: [-40, 35],
      temperature_condenser: [10, 90],
      temperature_suction: [-40, 40],
      pressure_high_side: [500, 4500],
      pressure_low_side: [100, 1600],
    },
  },
  absolutePressureSensors: ['pressure_high_side', 'pressure_low_side'],
  derivedFeatures,
  modelFeatures,
  windowMinutes: [60, 15, 1440],
  operatingModes,
  firmwareMatrix,
  models,
  streamRules,
  fallbackRules,
  yardstickRules,
  hints,
  bands: [
    { sensor: 'defrost_cycle', label: 'defrost' },
    { sensor: 'door_open_close', label: 'door open' },
  ],
  importDefaults: {
    site_id: 'imported',
    region: 'imported',
    model: 'unknown',
    equipment_class: 'refrigeration',
    reporting_interval_s: 60,
    timezone: 'UTC',
    timestamp_mode: 'utc',
    pressure_reference: 'absolute',
  },
  simulator,
})
