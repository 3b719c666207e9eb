import type { TableContract } from '../column.ts'
import type { FleetDefinition } from '../fleet.ts'
import { cleanReadings, quarantinedReadings, removedDuplicates } from './clean-readings.ts'
import { deadLetters } from './dead-letters.ts'
import { deviceAlerts, labelEvents } from './device-alerts.ts'
import { deviceFeatures, featureBaselines } from './device-features.ts'
import { modelScores } from './model-scores.ts'
import { rawReadings } from './raw-readings.ts'

/** Every lake table of a fleet, in the order data flows through them. */
export function fleetTables(fleet: FleetDefinition): readonly TableContract[] {
  return [
    rawReadings(fleet),
    deadLetters,
    cleanReadings(fleet),
    quarantinedReadings(fleet),
    removedDuplicates,
    deviceFeatures(fleet),
    featureBaselines,
    modelScores,
    deviceAlerts,
    labelEvents,
  ]
}
