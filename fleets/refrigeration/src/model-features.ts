import type { ModelFeature } from 'isotherm/contracts'

const plain = { unit: '', group: 'environment', resolution: 0.01 }
const compressor = { ...plain, group: 'compressor' }

/** Spectral features of one sensor, FEA-38; experimental. */
function spectral(sensor: string, label: string): readonly ModelFeature[] {
  return [
    {
      ...compressor,
      name: `${sensor}_spectral_entropy`,
      label: `disorder of ${label}`,
      formula: { kind: 'spectral', sensor, measure: 'entropy' },
    },
    {
      ...compressor,
      name: `${sensor}_dominant_freq`,
      label: `main frequency of ${label}`,
      unit: 'cycles/min',
      resolution: 0.001,
      formula: { kind: 'spectral', sensor, measure: 'dominant_frequency' },
    },
    {
      ...compressor,
      name: `${sensor}_short_cycle_ratio`,
      label: `share of short cycles in ${label}`,
      formula: { kind: 'spectral', sensor, measure: 'short_cycle_ratio' },
    },
  ]
}

/** Features beside the stored ones that a model may ask for: FEA-30 to FEA-33, FEA-38. */
export const modelFeatures: readonly ModelFeature[] = [
  ...(['sin', 'cos'] as const).map((wave) => ({
    ...plain,
    name: `season_${wave}`,
    label: `season (${wave})`,
    formula: { kind: 'season', wave, periodDays: 365.25 } as const,
  })),
  {
    name: 'temp_ambient_baseline_30d',
    label: 'ambient temperature of the last 30 days',
    unit: '°C',
    group: 'environment',
    resolution: 0.1,
    formula: {
      kind: 'rolling',
      of: 'temp_ambient_mean',
      days: 30,
      sourceMinutes: 1440,
      atLeast: { count: 10 },
    },
  },
  {
    name: 'temp_ambient_anomaly',
    label: 'ambient temperature against the last 30 days',
    unit: '°C',
    group: 'environment',
    resolution: 0.1,
    formula: {
      kind: 'difference',
      minuend: 'temp_ambient_mean',
      subtrahend: 'temp_ambient_baseline_30d',
    },
  },
  {
    ...compressor,
    name: 'corr_current_vibration',
    label: 'how current and vibration move together',
    formula: {
      kind: 'correlation',
      left: 'current_compressor',
      right: 'vibration_compressor',
      minPairs: 30,
    },
  },
  {
    ...plain,
    group: 'temperature',
    name: 'corr_evap_cond',
    label: 'how evaporator and condenser temperature move together',
    formula: {
      kind: 'correlation',
      left: 'temperature_evaporator',
      right: 'temperature_condenser',
      minPairs: 30,
    },
  },
  ...spectral('current_compressor', 'compressor current'),
  ...spectral('vibration_compressor', 'compressor vibration'),
  {
    ...compressor,
    name: 'compressor_starts',
    label: 'compressor starts',
    resolution: 1,
    formula: { kind: 'starts', sensor: 'current_compressor', level: 0.5 },
  },
]
