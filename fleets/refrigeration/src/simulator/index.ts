import type { FleetSimulator } from 'isotherm/contracts'
import { simulatedDevices } from './device-catalogue.ts'
import { faultModes } from './fault-modes.ts'
import { planFaults } from './fault-plans.ts'
import { simulatedDevice } from './simulated-device.ts'

/**
 * Physics of refrigeration units, MON-63 and MON-64: compressor cycles, defrost, doors, weather,
 * and every failure mode with its ground truth.
 */
export const simulator: FleetSimulator = {
  modes: faultModes,
  devices: simulatedDevices,
  device: simulatedDevice,
  planFaults,
}
