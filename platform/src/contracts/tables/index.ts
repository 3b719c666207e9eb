import type { TableContract } from '../column.ts'
import type { FleetDefinition } from '../fleet.ts'
import { cleanReadings, quarantinedReadings, removedDuplicates } from './clean-readings.ts'
import { deadLetters } from './dead-letters.ts'
import { deviceAlerts, labelEvents } from './device-alerts.ts'
import { deviceFeatures, featureBaselines } from './device-features.ts'
import { featureAlarms, featureSkewVerdicts } from './feature-checks.ts'
import { featureHistory } from './feature-history.ts'
import { modelInput } from './model-input.ts'
import { modelScores } from './model-scores.ts'
import { dailySummary, ingestionDistribution, sensorHealth } from './quality.ts'
import { rawReadings } from './raw-readings.ts'
import { schemaChangeLog } from './schema-change-log.ts'
import { trainingData } from './training-data.ts'

/** Every lake table of a fleet, in the order data flows through them. */
export function fleetTables(fleet: FleetDefinition): readonly TableContract[] {
  return [
    rawReadings(fleet),
    deadLetters,
    cleanReadings(fleet),
    quarantinedReadings(fleet),
    removedDuplicates,
    deviceFeatures(fleet),
    featureHistory(fleet),
    featureSkewVerdicts,
    featureAlarms,
    featureBaselines,
    modelScores,
    deviceAlerts,
    labelEvents,
    dailySummary,
    ingestionDistribution,
    sensorHealth,
    schemaChangeLog,
  ]
}

/** Every contract of a fleet: its tables, and what passes between stages without being a table. */
export function fleetContracts(fleet: FleetDefinition): readonly TableContract[] {
  return [...fleetTables(fleet), trainingData, modelInput]
}

/** The contracts with a number of the specification, 1 to 7: what other houses build on. */
export function numberedContracts(fleet: FleetDefinition): readonly TableContract[] {
  return fleetContracts(fleet).filter(({ id }) => /^C[0-9.]+$/.test(id))
}
