export { type Actor, type AlertActionName, type Role, roles } from './action-permissions.ts'
export {
  type ActionRequest,
  type ActionResult,
  type AlertAction,
  falsePositiveReasons,
  personResolutionCodes,
} from './alert-actions.ts'
export type { AlertChange } from './alert-change.ts'
export type { AlertChanges, AlertPage, AlertQuery } from './alert-query.ts'
export {
  type AlertRecord,
  type AlertRow,
  type AlertTracking,
  freshTracking,
  isActive,
  isClosed,
  severityRank,
} from './alert-record.ts'
export type { ActiveSummary, AlertStore } from './alert-store.ts'
export type { AppliedChanges } from './apply-changes.ts'
export type { AuditCheck, AuditEntry, AuditSource } from './audit-log.ts'
export type { CloudQueues, FeedbackEntry } from './cloud-queues.ts'
export type { Credentials } from './credentials.ts'
export type {
  Commander,
  DeviceCommand,
  DeviceCommandEntry,
  DeviceCommands,
  NewDeviceCommand,
} from './device-commands.ts'
export type { DeviceExchange, ImportOutcome } from './device-exchange.ts'
export {
  type HealthStatus,
  isOffline,
  type ScoreState,
  scaledSpanMs,
  scoreState,
} from './device-health.ts'
export type { Twins, TwinUpdate, TwinWrite } from './device-twins.ts'
export {
  deriveDeviceKey,
  type Enrollments,
  type KeptEnrollment,
  type KeyPair,
} from './enrollments.ts'
export { deviceFields, type HubDevice, hubDeviceSchema } from './hub-device.ts'
export type { LatestScore, LiveUpdate } from './live-entry.ts'
export type { LiveDevice, LiveState } from './live-state.ts'
export { openNodeSqlite } from './node-sqlite.ts'
export { oneAtATime } from './one-at-a-time.ts'
export { hashPassword } from './password-hash.ts'
export { registeredDevices } from './registered-devices.ts'
export type { Registry, UpsertCounts } from './registry.ts'
export type { LogPartition, RuleCheckpoints, RuleStateRow } from './rule-checkpoints.ts'
export { generateSasKeys } from './sas-keys.ts'
export type { Settings } from './settings.ts'
export type { SiteSummary } from './sites.ts'
export { slaPeriodMs, visitPeriodMs } from './sla.ts'
export { openState, type State, type StateOptions } from './state.ts'
export type { Revocation, Trust } from './trust.ts'
export type { JsonObject, JsonValue, TwinDocument } from './twin-document.ts'
export { uuidV5 } from './uuid-v5.ts'
