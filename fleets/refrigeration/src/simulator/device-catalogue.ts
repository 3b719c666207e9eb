import type { DeviceRow } from 'isotherm/contracts'
import { absentSensors } from '../firmware.ts'
import { sensors } from '../sensors.ts'
import { type RandomStream, randomStream } from './random-stream.ts'

/** An equipment model: its level of each sensor in standard deviations, and its duty cycle. */
export type EquipmentModel = {
  readonly name: string
  readonly share: number
  readonly levels: Readonly<Record<string, number>>
  readonly onMinutes: number
  readonly offMinutes: number
}

/** The equipment models of the simulated fleet; their levels average to zero. */
export const equipmentModels: readonly EquipmentModel[] = [
  model('Borealis 120', 0.35, 0.1, -0.3, -0.1, 19, 10.5),
  model('Borealis 250', 0.3, -0.1, 0.25, 0.1, 20.5, 10),
  model('Kelvin F4', 0.2, -0.2, 0.2, -0.2, 22, 9.5),
  model('Glacier Duo', 0.15, 0.2, -0.1, 0.3, 18.5, 9),
]

function model(
  name: string,
  share: number,
  coil: number,
  motor: number,
  warmSide: number,
  onMinutes: number,
  offMinutes: number,
): EquipmentModel {
  const levels = {
    temperature_evaporator: coil,
    temperature_suction: coil,
    pressure_low_side: coil,
    current_compressor: motor,
    vibration_compressor: motor,
    temperature_condenser: warmSide,
    pressure_high_side: warmSide,
    temperature_discharge: warmSide,
  }
  return { name, share, levels, onMinutes, offMinutes }
}

type City = {
  readonly name: string
  readonly region: string
  readonly climateZone: string
  readonly timezone: string
}

const cities: readonly City[] = [
  ['Oslo', 'eu-north', 'cold', 'Europe/Oslo'],
  ['Hamburg', 'eu-central', 'temperate', 'Europe/Berlin'],
  ['Lyon', 'eu-west', 'temperate', 'Europe/Paris'],
  ['Valencia', 'eu-south', 'warm', 'Europe/Madrid'],
  ['Gdansk', 'eu-north', 'cold', 'Europe/Warsaw'],
  ['Zurich', 'eu-central', 'temperate', 'Europe/Zurich'],
  ['Palermo', 'eu-south', 'warm', 'Europe/Rome'],
  ['Leeds', 'eu-west', 'temperate', 'Europe/London'],
].map(([name = '', region = '', climateZone = '', timezone = '']) => ({
  name,
  region,
  climateZone,
  timezone,
}))

/** Standard offset of the cities' time zones, hours; shops do not move with summer time here. */
const offsetHours: Readonly<Record<string, number>> = { 'Europe/London': 0, UTC: 0 }

/** Hours to add to UTC for the opening hours of a device's site. */
export function shopOffsetHours(timezone: string): number {
  return offsetHours[timezone] ?? 1
}

/** Mean room temperature of a climate zone against the fleet's, K. */
export const zoneAmbient: Readonly<Record<string, number>> = { cold: -1.5, temperate: 0, warm: 2 }

const streets = ['Harbour', 'Market', 'Station', 'Mill', 'Park', 'Church', 'Bridge', 'Garden']

const firmwares: readonly (readonly [version: string, share: number])[] = [
  ['3.6.1', 0.62],
  ['4.0.2', 0.2],
  ['3.2.0', 0.13],
  ['2.8.4', 0.05],
]

function pick<T>(random: RandomStream, options: readonly (readonly [T, number])[]): T {
  let left = random.unit()
  for (const [option, share] of options) {
    left -= share
    if (left < 0) return option
  }
  return options[0]![0]
}

function deviceRow(index: number, idPrefix: string, seed: number, perSite: number): DeviceRow {
  const deviceId = `${idPrefix}-${String(index).padStart(5, '0')}`
  const random = randomStream(seed, `${deviceId}/registry`)
  const site = Math.floor(index / perSite)
  const city = cities[site % cities.length]!
  const street = streets[Math.floor(site / cities.length) % streets.length]!
  const number = 1 + Math.floor(site / (cities.length * streets.length))
  const model = pick(
    random,
    equipmentModels.map((entry) => [entry.name, entry.share] as const),
  )
  const installedMs = Date.UTC(2016, 0, 1) + Math.floor(random.unit() * 3_200) * 86_400_000
  const withoutHumidity = random.unit() < 0.03
  const firmware = pick(random, firmwares)
  return {
    device_id: deviceId,
    status: 'active',
    site_id: `site-${String(site).padStart(4, '0')}`,
    site_name: `${city.name} ${street}${number === 1 ? '' : ` ${number}`}`,
    region: city.region,
    model,
    equipment_class: 'refrigeration',
    climate_zone: city.climateZone,
    customer_tier: pick(random, [
      ['standard', 0.6],
      ['plus', 0.3],
      ['premium', 0.1],
    ]),
    cohort_id: `${model}/${city.climateZone}`,
    install_date: new Date(installedMs).toISOString().slice(0, 10),
    firmware_version: firmware,
    expected_sensors: withoutHumidity ? expectedWithoutHumidity(firmware) : null,
    reporting_interval_s: 60,
    timezone: city.timezone,
    timestamp_mode: 'utc',
    pressure_reference: 'absolute',
    valid_from: installedMs,
    valid_to: null,
  }
}

/** Regional variants are built without a humidity sensor, ING-51. */
function expectedWithoutHumidity(firmware: string): readonly string[] {
  const absent = [...absentSensors(firmware), 'humidity']
  return sensors.map(({ name }) => name).filter((name) => !absent.includes(name))
}

/** Registry rows of a simulated fleet: about a dozen cabinets a site. */
export function simulatedDevices(options: {
  readonly count: number
  readonly seed: number
  readonly idPrefix?: string
}): readonly DeviceRow[] {
  const { count, seed, idPrefix = 'REF-TEST' } = options
  return Array.from({ length: count }, (_, index) => deviceRow(index, idPrefix, seed, 12))
}
