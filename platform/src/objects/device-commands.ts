import { type AuditEntry, type AuditSource, appendAudit } from './audit-log.ts'
import type { StateDatabase } from './state-database.ts'

/** What somebody asked of a device. */
export type DeviceCommand =
  | 'send message'
  | 'purge messages'
  | 'call method'
  | 'change twin'
  | 'replace twin'

/** Somebody who commands devices. */
export type Commander = { readonly id: string; readonly role: string }

/** A command with what became of it, for the audit log. */
export type NewDeviceCommand = {
  readonly deviceId: string
  readonly command: DeviceCommand
  readonly by: Commander
  readonly source: AuditSource
  readonly askedAtMs: number
  /** What tells commands apart; contents of messages and calls only as size and hash. */
  readonly parameters: Readonly<Record<string, unknown>>
  readonly result: AuditEntry['result']
  /** What the device or the store answered. */
  readonly answer?: Readonly<Record<string, unknown>>
  readonly reason?: string
  readonly requestId?: string
}

/** A command as it stands in the audit log. */
export type DeviceCommandEntry = NewDeviceCommand & {
  readonly auditId: number
  readonly doneAtMs: number
}

/** Commands to devices in the hash-chained audit log: who, what, when, with which result. */
export type DeviceCommands = {
  readonly record: (command: NewDeviceCommand) => Promise<void>
  /** Newest first. */
  readonly of: (deviceId: string, limit: number) => Promise<readonly DeviceCommandEntry[]>
}

function entryOf(command: NewDeviceCommand, nowMs: number): Omit<AuditEntry, 'auditId'> {
  const { deviceId, by, source, askedAtMs, parameters, result, answer, reason, requestId } = command
  return {
    atMs: nowMs,
    performedAtMs: askedAtMs,
    actorId: by.id,
    actorRole: by.role,
    source,
    action: command.command,
    objectType: 'device',
    objectId: deviceId,
    parameters,
    before: {},
    after: answer ?? {},
    result,
    ...(reason !== undefined && { reason }),
    ...(requestId !== undefined && { requestId }),
  }
}

function commandOf(entry: AuditEntry): DeviceCommandEntry {
  const { auditId, atMs, performedAtMs, actorId, actorRole, reason, requestId } = entry
  return {
    auditId,
    doneAtMs: atMs,
    askedAtMs: performedAtMs,
    deviceId: entry.objectId,
    // Only `entryOf` writes entries of devices.
    command: entry.action as DeviceCommand,
    by: { id: actorId, role: actorRole },
    source: entry.source,
    parameters: entry.parameters,
    result: entry.result,
    answer: entry.after,
    ...(reason !== undefined && { reason }),
    ...(requestId !== undefined && { requestId }),
  }
}

/** Opens the part of the audit log that is about devices. */
export function openDeviceCommands(database: StateDatabase, clock: () => number): DeviceCommands {
  return {
    record: async (command) => {
      await database
        .transaction()
        .execute((transaction) => appendAudit(transaction, [entryOf(command, clock())]))
    },
    of: async (deviceId, limit) => {
      const rows = await database
        .selectFrom('audit_log')
        .select('body')
        .where('object_id', '=', deviceId)
        .orderBy('audit_id', 'desc')
        .limit(limit)
        .execute()
      return rows
        .map(({ body }) => JSON.parse(body) as AuditEntry)
        .filter(({ objectType }) => objectType === 'device')
        .map(commandOf)
    },
  }
}
