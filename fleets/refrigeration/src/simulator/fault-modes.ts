import type { FaultMode } from 'isotherm/contracts'

type Noticed = FaultMode['noticedBy']

function failing<const Name extends string>(
  name: Name,
  title: string,
  hoursToFailure: number,
  noticedBy: Noticed,
) {
  return { name, title, hoursToFailure, noticedBy, failsUnit: true } as const
}

function harmless<const Name extends string>(name: Name, title: string, noticedBy: Noticed) {
  return { name, title, hoursToFailure: 0, noticedBy, failsUnit: false } as const
}

/**
 * The modes of MON-64. Failure is the moment the cabinet can no longer keep its goods cold, so
 * acute modes have some time as well: goods warm slower than a coil. Last the negative controls.
 */
export const faultModes = [
  failing('compressor_vibration_spike', 'Sudden compressor damage', 8, 'stream'),
  failing('refrigerant_leak', 'Slow refrigerant leak', 40, 'batch'),
  failing('temperature_drift', 'Ice on the coil or blocked airflow', 72, 'batch'),
  harmless('sensor_failure', 'Evaporator sensor stuck', 'data'),
  harmless('intermittent_dropout', 'Readings drop out', 'data'),
  failing('bearing_wear', 'Compressor bearing wear', 60, 'batch'),
  failing('compressor_seizure', 'Compressor seizes', 0.5, 'stream'),
  failing('acute_leak', 'Sudden loss of refrigerant', 0.75, 'stream'),
  failing('condenser_fouling', 'Condenser clogs up', 72, 'batch'),
  failing('valve_hunting', 'Expansion valve hunts', 96, 'batch'),
  failing('liquid_slugging', 'Liquid reaches the compressor', 24, 'batch'),
  failing('short_cycling', 'Compressor cycles too fast', 48, 'batch'),
  harmless('door_left_open', 'Door left open', 'batch'),
  failing('stuck_defrost', 'Defrost does not end', 2, 'stream'),
  failing('power_loss', 'Power lost', 3, 'silence'),
  harmless('firmware_rescale', 'Firmware rescales the low-side pressure', 'data'),
  harmless('clock_drift', 'Controller clock a day ahead', 'data'),
  harmless('normal_defrost', 'Control: a normal defrost', 'nothing'),
  harmless('compressor_start', 'Control: a start after a long rest', 'nothing'),
  harmless('door_session', 'Control: a normal door session', 'nothing'),
  harmless('buffered_replay', 'Control: six hours delivered late', 'nothing'),
  harmless('season_change', 'Control: a warmer season', 'nothing'),
] as const satisfies readonly FaultMode[]

/** Name of a fault mode of refrigeration units. */
export type FaultModeName = (typeof faultModes)[number]['name']

/** The mode of a name, or undefined. */
export function findMode(name: string) {
  return faultModes.find((mode) => mode.name === name)
}
