import type { SessionStore } from '../contracts/index.ts'
import type { GateLedger } from '../quality/index.ts'
import type { AlertChange } from './alert-change.ts'
import { type AlertStore, openAlertStore } from './alert-store.ts'
import type { AppliedChanges } from './apply-changes.ts'
import { type CloudQueues, openCloudQueues } from './cloud-queues.ts'
import { type Credentials, openCredentials } from './credentials.ts'
import { type DeviceCommands, openDeviceCommands } from './device-commands.ts'
import { type DeviceExchange, openDeviceExchange } from './device-exchange.ts'
import { openTwins, type Twins } from './device-twins.ts'
import { type Enrollments, openEnrollments } from './enrollments.ts'
import { openGateLedger } from './gate-ledger.ts'
import { type LiveState, openLiveState } from './live-state.ts'
import { openRegistry, type Registry } from './registry.ts'
import {
  type LogPartition,
  openRuleCheckpoints,
  type RuleCheckpoints,
  type RuleStateRow,
  writeRuleStates,
} from './rule-checkpoints.ts'
import { createSecretBox } from './secret-box.ts'
import { openSessionStore } from './session-store.ts'
import { openSettings, type Settings } from './settings.ts'
import { openStateDatabase } from './state-database.ts'
import { openTrust, type Trust } from './trust.ts'

/** The online view of the fleet: devices, credentials, alerts, live values, checkpoints. */
export type State = {
  readonly registry: Registry
  readonly credentials: Credentials
  readonly trust: Trust
  /** Import and export of the registry in IoT Hub's format. */
  readonly exchange: DeviceExchange
  readonly alerts: AlertStore
  /** Messages to devices. */
  readonly messages: CloudQueues
  readonly twins: Twins
  /** Who told devices to do what, and what came of it. */
  readonly commands: DeviceCommands
  /** Leave for devices to register themselves. */
  readonly enrollments: Enrollments
  /** MQTT sessions that outlive their connection. */
  readonly sessions: SessionStore
  readonly live: LiveState
  /** What quality gates found, and what people decided about it. */
  readonly gates: GateLedger
  readonly settings: Settings
  readonly ruleCheckpoints: RuleCheckpoints
  /**
   * Alert changes and the rule states they follow from, in one transaction: after a crash either
   * both are there or neither is.
   */
  readonly applyWithRuleStates: (
    changes: readonly AlertChange[],
    partition: LogPartition,
    states: readonly RuleStateRow[],
  ) => Promise<AppliedChanges>
  /** Writes what is only in memory and closes the file. */
  readonly close: () => Promise<void>
}

/** How to open a state store. */
export type StateOptions = {
  /** File of the database; created if missing. */
  readonly path: string
  /** 32 bytes that seal the credentials; keep them outside the data folder's backups. */
  readonly secretKey: Uint8Array
  /** Time in epoch milliseconds. */
  readonly clock: () => number
}

/**
 * Opens the state store, creating or migrating its schema.
 * @throws IsothermError DATA_FOLDER_TOO_NEW if a newer program wrote it; the file is not touched
 * @throws IsothermError INPUT_INVALID if the secret key has the wrong length
 */
export async function openState({ path, secretKey, clock }: StateOptions): Promise<State> {
  const box = createSecretBox(secretKey)
  const database = openStateDatabase(path)
  const registry = await openRegistry(database, clock)
  const settings = openSettings(database)
  const trust = await openTrust(database, box, clock)
  const credentials = await openCredentials(database, registry, trust, box)
  const twins = openTwins(database, clock)
  // The alert store asks the live state for scores, the live state asks it for open alerts.
  const latestScore = (deviceId: string) => live.device(deviceId)?.latestScore
  const alerts = await openAlertStore(database, clock, latestScore)
  const live: LiveState = await openLiveState({
    database,
    registry,
    clock,
    alerts: alerts.summary,
    settings,
  })
  const parts = { database, box, registry, credentials, twins, settings, clock }
  return {
    registry,
    credentials,
    trust,
    alerts,
    messages: await openCloudQueues(database, clock),
    twins,
    commands: openDeviceCommands(database, clock),
    exchange: openDeviceExchange({ database, registry, credentials, twins, clock }),
    sessions: await openSessionStore(database),
    enrollments: await openEnrollments(parts),
    live,
    gates: openGateLedger(database, clock),
    settings,
    ruleCheckpoints: openRuleCheckpoints(database),
    applyWithRuleStates: (changes, partition, states) =>
      alerts.applyWith(changes, (transaction) => writeRuleStates(transaction, partition, states)),
    close: async () => {
      await live.flushReadings()
      await database.destroy()
    },
  }
}
