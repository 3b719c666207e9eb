import { IsothermError, type Sensor } from '../contracts/index.ts'

/** Linear conversion: canonical = value × factor + offset. */
type Linear = { readonly factor: number; readonly offset: number }

const same: Linear = { factor: 1, offset: 0 }

/** Factors to a canonical unit, keyed by canonical unit, then by the source unit in lower case. */
const conversions: Readonly<Record<string, Readonly<Record<string, Linear>>>> = {
  '°C': {
    degf: { factor: 5 / 9, offset: -160 / 9 },
    f: { factor: 5 / 9, offset: -160 / 9 },
    fahrenheit: { factor: 5 / 9, offset: -160 / 9 },
    k: { factor: 1, offset: -273.15 },
    kelvin: { factor: 1, offset: -273.15 },
    degc: same,
    c: same,
    celsius: same,
  },
  K: { degf: { factor: 5 / 9, offset: 0 }, degc: same, c: same, kelvin: same },
  kPa: {
    pa: { factor: 0.001, offset: 0 },
    hpa: { factor: 0.1, offset: 0 },
    mpa: { factor: 1000, offset: 0 },
    bar: { factor: 100, offset: 0 },
    mbar: { factor: 0.1, offset: 0 },
    psi: { factor: 6.894757293168, offset: 0 },
  },
  A: { ma: { factor: 0.001, offset: 0 }, amps: same },
  'mm/s': { 'in/s': { factor: 25.4, offset: 0 }, 'm/s': { factor: 1000, offset: 0 } },
  '%': { fraction: { factor: 100, offset: 0 }, '1': { factor: 100, offset: 0 }, percent: same },
  W: { kw: { factor: 1000, offset: 0 } },
  kWh: { wh: { factor: 0.001, offset: 0 }, mwh: { factor: 1000, offset: 0 } },
}

/**
 * Converter from a source unit to the sensor's own unit.
 * @throws IsothermError INPUT_INVALID, naming the units that can be converted
 */
export function unitConverter(sensor: Sensor, sourceUnit: string | undefined): Linear {
  if (sourceUnit === undefined) return same
  const key = sourceUnit.trim().replace('°', 'deg').toLowerCase()
  const own = sensor.unit.replace('°', 'deg').toLowerCase()
  if (key === own || sensor.unitSynonyms?.includes(key) === true) return same
  const known = conversions[sensor.unit] ?? {}
  const found = known[key]
  if (found !== undefined) return found
  throw new IsothermError(
    'INPUT_INVALID',
    `${sensor.name}: cannot convert ${sourceUnit} to ${sensor.unit || 'a state'}; ` +
      `give one of ${[sensor.unit, ...Object.keys(known)].join(', ')}`,
  )
}
