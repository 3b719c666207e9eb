import type { Aggregate, Sensor } from 'isotherm/contracts'

const meanAndStd: readonly Aggregate[] = ['mean', 'std']

function gauge(sensor: Omit<Sensor, 'kind'>): Sensor {
  return { kind: 'gauge', ...sensor }
}

const celsius = { unit: '°C', unitSynonyms: ['c', 'degc', 'deg c', 'celsius'], resolution: 0.1 }
const kilopascal = { unit: 'kPa', unitSynonyms: ['kpa', 'kilopascal', 'kilopascals'] }
const kelvin = { unit: 'K', unitSynonyms: ['k', 'kelvin'], resolution: 0.1 }

const temperatures: readonly Sensor[] = [
  gauge({
    name: 'temperature_evaporator',
    short: 'temp_evaporator',
    label: 'evaporator temperature',
    group: 'temperature',
    range: [-60, 30],
    aggregates: ['mean', 'std', 'min', 'max', 'slope'],
    meaning: 'Evaporator coil',
    ...celsius,
  }),
  gauge({
    name: 'temperature_condenser',
    short: 'temp_condenser',
    label: 'condenser temperature',
    group: 'temperature',
    range: [20, 80],
    aggregates: ['mean', 'std', 'min', 'max', 'slope'],
    meaning: 'Condenser coil',
    ...celsius,
  }),
  gauge({
    name: 'temperature_ambient',
    short: 'temp_ambient',
    label: 'ambient temperature',
    group: 'environment',
    range: [-40, 60],
    aggregates: meanAndStd,
    meaning: 'Surroundings',
    ...celsius,
  }),
  gauge({
    name: 'temperature_discharge',
    short: 'temp_discharge',
    label: 'discharge temperature',
    group: 'temperature',
    range: [30, 150],
    aggregates: ['mean', 'std', 'max'],
    meaning: 'Compressor discharge line',
    ...celsius,
  }),
  gauge({
    name: 'temperature_suction',
    short: 'temp_suction',
    label: 'suction temperature',
    group: 'temperature',
    range: [-40, 30],
    aggregates: meanAndStd,
    meaning: 'Compressor suction line',
    ...celsius,
  }),
]

const circuit: readonly Sensor[] = [
  gauge({
    name: 'pressure_high_side',
    short: 'pressure_high',
    label: 'high-side pressure',
    group: 'pressure',
    range: [500, 3500],
    resolution: 5,
    aggregates: ['mean', 'std', 'max'],
    meaning: 'Discharge-side refrigerant pressure, absolute',
    ...kilopascal,
  }),
  gauge({
    name: 'pressure_low_side',
    short: 'pressure_low',
    label: 'low-side pressure',
    group: 'pressure',
    range: [50, 800],
    resolution: 2,
    aggregates: ['mean', 'std', 'min'],
    meaning: 'Suction-side refrigerant pressure, absolute',
    ...kilopascal,
  }),
  gauge({
    name: 'current_compressor',
    short: 'current_compressor',
    label: 'compressor current',
    unit: 'A',
    unitSynonyms: ['a', 'amp', 'amps', 'ampere', 'amperes'],
    group: 'compressor',
    range: [0, 50],
    resolution: 0.1,
    aggregates: ['mean', 'std', 'max'],
    meaning: 'Motor current',
  }),
  gauge({
    name: 'vibration_compressor',
    short: 'vibration_compressor',
    label: 'compressor vibration',
    unit: 'mm/s',
    unitSynonyms: ['mm/s rms', 'mm per s', 'millimetres per second'],
    group: 'compressor',
    range: [0, 100],
    resolution: 0.05,
    aggregates: ['mean', 'std', 'max', 'p95'],
    meaning: 'Vibration velocity, RMS',
  }),
]

const cabinet: readonly Sensor[] = [
  gauge({
    name: 'humidity',
    short: 'humidity',
    label: 'humidity',
    unit: '%',
    unitSynonyms: ['%rh', 'rh', 'percent', 'pct'],
    group: 'environment',
    range: [0, 100],
    resolution: 0.5,
    aggregates: meanAndStd,
    meaning: 'Relative humidity inside the unit',
  }),
  {
    name: 'door_open_close',
    short: 'door_open',
    label: 'door open',
    kind: 'boolean',
    unit: '',
    group: 'environment',
    resolution: 0.01,
    aggregates: ['fraction'],
    meaning: 'true = open',
  },
  {
    name: 'defrost_cycle',
    short: 'defrost_active',
    label: 'defrost active',
    kind: 'boolean',
    unit: '',
    group: 'environment',
    resolution: 0.01,
    aggregates: ['fraction'],
    meaning: 'true = defrosting',
  },
  gauge({
    name: 'superheat',
    short: 'superheat',
    label: 'superheat',
    group: 'thermodynamic',
    range: [-5, 50],
    suspectBelow: 0,
    aggregates: meanAndStd,
    meaning: 'Suction minus evaporator saturation temperature',
    ...kelvin,
  }),
  gauge({
    name: 'subcooling',
    short: 'subcooling',
    label: 'subcooling',
    group: 'thermodynamic',
    range: [-5, 30],
    suspectBelow: 0,
    aggregates: meanAndStd,
    meaning: 'Condenser saturation minus liquid-line temperature',
    ...kelvin,
  }),
]

/** The 14 sensors of a refrigeration unit, in the column order of CON-3. */
export const sensors: readonly Sensor[] = [...temperatures, ...circuit, ...cabinet]
