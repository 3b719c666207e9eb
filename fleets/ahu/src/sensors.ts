import type { Sensor } from 'isotherm/contracts'

function temperature(name: string, short: string, label: string, meaning: string): Sensor {
  return {
    name,
    short,
    label,
    kind: 'gauge',
    unit: '°C',
    unitSynonyms: ['c', 'celsius', 'degc'],
    group: 'temperature',
    range: [-40, 80],
    resolution: 0.1,
    aggregates: ['mean', 'std'],
    meaning,
  }
}

function command(name: string, short: string, label: string, group: string): Sensor {
  return {
    name,
    short,
    label,
    kind: 'gauge',
    unit: '%',
    unitSynonyms: ['percent'],
    group,
    // Controllers report a closed damper a few percent below zero.
    range: [-10, 110],
    resolution: 1,
    aggregates: ['mean', 'std'],
    meaning: `Command of the controller: 0 closed, 100 open or full speed`,
  }
}

/** Sensors of a single-zone air handling unit with heating and cooling coil. */
export const sensors: readonly Sensor[] = [
  temperature('supply_air_temperature', 'supply_air', 'supply air temperature', 'After the coils'),
  temperature('mixed_air_temperature', 'mixed_air', 'mixed air temperature', 'Before the coils'),
  temperature('return_air_temperature', 'return_air', 'return air temperature', 'From the rooms'),
  temperature('outdoor_air_temperature', 'outdoor_air', 'outdoor air temperature', 'Outside'),
  command('supply_fan_speed', 'fan_speed', 'fan speed', 'air'),
  command('outdoor_damper', 'outdoor_damper', 'outdoor air damper', 'air'),
  command('return_damper', 'return_damper', 'return air damper', 'air'),
  command('cooling_valve', 'cooling_valve', 'cooling valve', 'coils'),
  command('heating_valve', 'heating_valve', 'heating valve', 'coils'),
  {
    name: 'occupied',
    short: 'occupied',
    label: 'occupied mode',
    kind: 'boolean',
    unit: '',
    group: 'operation',
    resolution: 0.01,
    aggregates: ['fraction'],
    meaning: 'The schedule says that people are in the building',
  },
]
