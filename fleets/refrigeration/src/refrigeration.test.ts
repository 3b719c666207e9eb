import { featureColumns, selectFeatures } from 'isotherm/contracts'
import { describe, expect, test } from 'vitest'
import { absentSensors } from './firmware.ts'
import { refrigeration } from './refrigeration.ts'

/** The stored catalogue of FEA section 3, in its order. */
const catalogue = `
temp_evaporator_mean temp_evaporator_std temp_evaporator_min temp_evaporator_max temp_evaporator_slope
temp_condenser_mean temp_condenser_std temp_condenser_min temp_condenser_max temp_condenser_slope
temp_ambient_mean temp_ambient_std
temp_discharge_mean temp_discharge_std temp_discharge_max
temp_suction_mean temp_suction_std
pressure_high_mean pressure_high_std pressure_high_max
pressure_low_mean pressure_low_std pressure_low_min
current_compressor_mean current_compressor_std current_compressor_max
vibration_compressor_mean vibration_compressor_std vibration_compressor_max vibration_compressor_p95
humidity_mean humidity_std
door_open_fraction defrost_active_fraction
superheat_mean superheat_std
subcooling_mean subcooling_std
pressure_ratio temp_spread_evap_cond temp_spread_discharge_suction current_per_temp_spread
reading_count sensor_completeness quality_flag_count
`
  .trim()
  .split(/\s+/)

/** CON-3: column, unit, range. */
const con3 = [
  ['temperature_evaporator', '°C', [-60, 30]],
  ['temperature_condenser', '°C', [20, 80]],
  ['temperature_ambient', '°C', [-40, 60]],
  ['temperature_discharge', '°C', [30, 150]],
  ['temperature_suction', '°C', [-40, 30]],
  ['pressure_high_side', 'kPa', [500, 3500]],
  ['pressure_low_side', 'kPa', [50, 800]],
  ['current_compressor', 'A', [0, 50]],
  ['vibration_compressor', 'mm/s', [0, 100]],
  ['humidity', '%', [0, 100]],
  ['door_open_close', '', undefined],
  ['defrost_cycle', '', undefined],
  ['superheat', 'K', [-5, 50]],
  ['subcooling', 'K', [-5, 30]],
]

describe('the refrigeration fleet', () => {
  test('has the 14 sensors of CON-3 in order, with units and ranges', () => {
    expect(refrigeration.sensors.map(({ name, unit, range }) => [name, unit, range])).toEqual(con3)
  })

  test('has the 45 feature columns of FEA section 3 by name and order', () => {
    expect(catalogue).toHaveLength(45)
    expect(featureColumns(refrigeration).map(({ name }) => name)).toEqual(catalogue)
  })

  test('S24 is the 12 means and 12 standard deviations', () => {
    const subset = selectFeatures(refrigeration, 'means_and_stds')
    expect(subset).toHaveLength(24)
    expect(subset.filter((name) => name.endsWith('_mean'))).toHaveLength(12)
    expect(subset.filter((name) => name.endsWith('_std'))).toHaveLength(12)
  })

  test('features carry the resolution floors of FEA section 3', () => {
    const floors = new Map(
      featureColumns(refrigeration).map((entry) => [entry.name, entry.resolution]),
    )
    const expected = {
      temp_evaporator_slope: 0.001,
      pressure_high_std: 5,
      pressure_low_min: 2,
      vibration_compressor_p95: 0.05,
      humidity_mean: 0.5,
      door_open_fraction: 0.01,
      pressure_ratio: 0.02,
      current_per_temp_spread: 0.002,
      temp_spread_evap_cond: 0.1,
      sensor_completeness: 0.01,
      reading_count: 1,
    }
    for (const [name, floor] of Object.entries(expected)) {
      expect([name, floors.get(name)]).toEqual([name, floor])
    }
  })

  test('sensor groups are those of MOD-6', () => {
    const groups = Object.groupBy(featureColumns(refrigeration), ({ group }) => group)
    expect(Object.keys(groups).sort()).toEqual([
      ...['compressor', 'environment', 'pressure', 'quality', 'temperature', 'thermodynamic'],
    ])
    const names = (group: string) => groups[group]?.map(({ name }) => name) ?? []
    expect(names('pressure')).toContain('pressure_ratio')
    expect(names('compressor')).toContain('current_per_temp_spread')
    expect(names('temperature')).toContain('temp_spread_discharge_suction')
    expect(names('environment')).toContain('temp_ambient_mean')
  })

  test('every feature that can be the reason of an alert has a hint in one direction at least', () => {
    const hinted = new Set(refrigeration.hints.map(({ feature }) => feature))
    const sensorsHinted = refrigeration.sensors.filter(({ short }) =>
      [...hinted].some((feature) => feature.startsWith(`${short}_`)),
    )
    expect(sensorsHinted).toHaveLength(14)
    for (const { text } of refrigeration.hints) expect(text).toMatch(/^[A-Z].*\.$/)
  })

  test('firmware below 3.0 and 3.5 lacks sensors (ING-51)', () => {
    expect(absentSensors('2.8.4')).toEqual(['vibration_compressor', 'subcooling'])
    expect(absentSensors('3.0')).toEqual(['subcooling'])
    expect(absentSensors('3.4.9')).toEqual(['subcooling'])
    for (const version of ['3.5', '3.6.1', '3.10.0', '10.0', null]) {
      expect(absentSensors(version)).toEqual([])
    }
  })

  test('heat pumps differ in five ranges (CON-4)', () => {
    expect(refrigeration.rangeProfiles.heat_pump).toEqual({
      temperature_evaporator: [-40, 35],
      temperature_condenser: [10, 90],
      temperature_suction: [-40, 40],
      pressure_high_side: [500, 4500],
      pressure_low_side: [100, 1600],
    })
  })
})
