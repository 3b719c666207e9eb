import { type DeviceRow, defineFleet, type Sensor } from '../contracts/index.ts'

const gauge = (name: string, unit: string, unitSynonyms: readonly string[]): Sensor => ({
  name,
  short: name,
  label: name,
  kind: 'gauge',
  unit,
  unitSynonyms,
  group: 'unit',
  range: [-100, 100],
  resolution: 0.1,
  aggregates: ['mean'],
  meaning: name,
})

const state = (name: string): Sensor => ({
  name,
  short: name,
  label: name,
  kind: 'boolean',
  unit: '',
  group: 'unit',
  resolution: 0.01,
  aggregates: ['fraction'],
  meaning: name,
})

/** A small fleet for tests of the gateway: it knows nothing of real fleets. */
export const testFleet = defineFleet({
  name: 'bench',
  title: 'Bench',
  deviceNoun: 'unit',
  equipmentClasses: ['bench'],
  sensors: [
    gauge('temperature', '°C', ['celsius', 'c']),
    gauge('pressure', 'kPa', ['kpa']),
    state('door_open'),
    gauge('current', 'A', ['amps']),
  ],
  rangeProfiles: {},
  absolutePressureSensors: [],
  derivedFeatures: [],
  windowMinutes: [60],
  operatingModes: [],
  firmwareMatrix: [],
  models: [],
  streamRules: [],
  fallbackRules: [],
  yardstickRules: [],
  hints: [],
  bands: [],
  importDefaults: {},
})

export function testDevice(deviceId: string, changes: Partial<DeviceRow> = {}): DeviceRow {
  return {
    device_id: deviceId,
    status: 'active',
    site_id: 'S-1',
    region: 'north',
    model: 'X',
    equipment_class: 'bench',
    climate_zone: null,
    customer_tier: null,
    cohort_id: null,
    install_date: null,
    firmware_version: null,
    expected_sensors: null,
    reporting_interval_s: 60,
    timezone: 'UTC',
    timestamp_mode: 'utc',
    pressure_reference: 'absolute',
    valid_from: 0,
    valid_to: null,
    site_name: null,
    ...changes,
  }
}
