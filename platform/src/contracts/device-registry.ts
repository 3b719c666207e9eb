import { extension, optional, type RowOf, required, type TableContract } from './column.ts'

const columns = [
  required('device_id', 'string', 'Primary key, at most 128 of [A-Za-z0-9-._:], case-sensitive'),
  required('status', 'string', 'Whether the device may connect', {
    values: ['active', 'disabled', 'decommissioned'],
  }),
  required('site_id', 'string', 'Where it stands; routes alerts'),
  required('region', 'string', 'Region of the site'),
  required('model', 'string', 'Equipment model'),
  required('equipment_class', 'string', 'Selects the range profile, CON-4'),
  optional('climate_zone', 'string', 'Climate zone, a cohort input'),
  optional('customer_tier', 'string', 'Customer tier, a slice'),
  optional('cohort_id', 'string', 'Equipment model x climate zone'),
  optional('install_date', 'string', 'Commissioning date, yyyy-MM-dd'),
  optional('firmware_version', 'string', 'Drives the compatibility matrix'),
  optional('expected_sensors', 'array<string>', 'Override of the matrix'),
  required('reporting_interval_s', 'integer', 'Seconds between messages', { unit: 's' }),
  required('timezone', 'string', 'IANA zone of local timestamps'),
  required('timestamp_mode', 'string', 'Zone of timestamps without offset', {
    values: ['utc', 'local'],
  }),
  required('pressure_reference', 'string', 'Pressure against vacuum or atmosphere', {
    values: ['absolute', 'gauge'],
  }),
  required('valid_from', 'timestamp', 'Start of this version of the row'),
  optional('valid_to', 'timestamp', 'End of this version, exclusive; null while current'),
  extension('site_name', 'string', 'Name of the site for people'),
] as const

/** Device registry, ING-3, with validity intervals so that joins as of a time are possible. */
export const deviceRegistry = {
  name: 'device_registry',
  id: 'R1',
  version: '1.0.0',
  purpose: 'Who may send, where it stands and what it is',
  columns,
  key: ['device_id', 'valid_from'],
  partitionColumns: [],
  sortColumns: ['device_id'],
} as const satisfies TableContract

/** One version of a device in the registry; names as stored. */
export type DeviceRow = RowOf<typeof columns>

/** A device with what nobody said left at its default: active, every minute, UTC, absolute. */
export function newDevice(
  row: Partial<DeviceRow> & Pick<DeviceRow, 'device_id' | 'valid_from'>,
): DeviceRow {
  return {
    status: 'active',
    site_id: 'SITE-1',
    region: 'default',
    model: 'unknown',
    equipment_class: 'default',
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
    valid_to: null,
    site_name: null,
    ...row,
  }
}
