import { sql } from 'kysely'
import type { DeviceRow } from '../contracts/index.ts'
import { type DeviceChange, diffDevice } from './device-diff.ts'
import { createListeners } from './listeners.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { type SiteSummary, summarizeSites } from './sites.ts'
import { currentCount, raiseCount, type StateDatabase } from './state-database.ts'

/** What an upsert did. */
export type UpsertCounts = {
  readonly added: number
  readonly changed: number
  readonly unchanged: number
}

/** Who the devices are, with history, ING-3. Reads are answered from memory. */
export type Registry = {
  /**
   * Adds or changes devices in one transaction; rows that say nothing new are left alone.
   * @throws IsothermError INPUT_INVALID for a device id that is not allowed; nothing is written
   */
  readonly upsert: (rows: readonly DeviceRow[]) => Promise<UpsertCounts>
  /** Current rows, in the order devices were first registered. */
  readonly devices: () => readonly DeviceRow[]
  readonly device: (deviceId: string) => DeviceRow | undefined
  /** Rows valid at an instant. */
  readonly devicesAsOf: (ms: number) => readonly DeviceRow[]
  /**
   * The version of a device valid at an instant; before its first version the first one, because
   * imported history is older than the registration.
   */
  readonly deviceAsOf: (deviceId: string, ms: number) => DeviceRow | undefined
  /** Changes whenever the content does; pinned by runs, CON-14. */
  readonly version: () => string
  readonly sites: () => readonly SiteSummary[]
  /** Calls back with the id of each device that was added or changed. */
  readonly onChange: (listener: (deviceId: string) => void) => () => void
}

/** Rows of one INSERT: bounds the JSON text that SQLite holds at a time. */
const rowsPerInsert = 5_000

type RegistryMemory = {
  readonly current: Map<string, DeviceRow>
  /** Closed versions, oldest first; only of devices that ever changed. */
  readonly past: Map<string, DeviceRow[]>
  versionNumber: number
}

async function writeChanges(
  database: StateDatabase,
  changes: readonly Exclude<DeviceChange, { kind: 'unchanged' }>[],
): Promise<number> {
  return database.transaction().execute(async (transaction) => {
    const rows = changes.flatMap((change) =>
      change.kind === 'added' ? [change.next] : [change.closed, change.next],
    )
    for (let start = 0; start < rows.length; start += rowsPerInsert) {
      const batch = JSON.stringify(rows.slice(start, start + rowsPerInsert))
      await sql`
        INSERT INTO device_registry (device_id, valid_from, valid_to, body)
        SELECT value ->> 'device_id', value ->> 'valid_from', value ->> 'valid_to', value
        FROM json_each(${batch}) WHERE true
        ON CONFLICT (device_id, valid_from)
        DO UPDATE SET valid_to = excluded.valid_to, body = excluded.body`.execute(transaction)
    }
    return raiseCount(transaction, 'registry')
  })
}

function remember(memory: RegistryMemory, change: DeviceChange): void {
  if (change.kind === 'unchanged') return
  const { next } = change
  if (change.kind === 'changed') {
    const past = memory.past.get(next.device_id)
    if (past === undefined) memory.past.set(next.device_id, [change.closed])
    else past.push(change.closed)
  }
  memory.current.set(next.device_id, next)
}

async function load(database: StateDatabase): Promise<RegistryMemory> {
  const memory: RegistryMemory = {
    current: new Map(),
    past: new Map(),
    versionNumber: await currentCount(database, 'registry'),
  }
  const rows = await database
    .selectFrom('device_registry')
    .select('body')
    .orderBy('device_id')
    .orderBy('valid_from')
    .execute()
  for (const { body } of rows) {
    const row = JSON.parse(body) as DeviceRow
    const past = memory.past.get(row.device_id)
    if (row.valid_to === null) memory.current.set(row.device_id, row)
    else if (past === undefined) memory.past.set(row.device_id, [row])
    else past.push(row)
  }
  return memory
}

const holds = (row: DeviceRow, ms: number) =>
  row.valid_from <= ms && (row.valid_to === null || ms < row.valid_to)

/** The device registry over its table. */
export async function openRegistry(
  database: StateDatabase,
  clock: () => number,
): Promise<Registry> {
  const memory = await load(database)
  const inTurn = oneAtATime()
  const listeners = createListeners<string>()
  let devices: readonly DeviceRow[] | undefined

  const upsert = async (rows: readonly DeviceRow[]): Promise<UpsertCounts> => {
    const nowMs = clock()
    const newest = new Map(rows.map((row) => [row.device_id, row]))
    const all = [...newest.values()].map((row) =>
      diffDevice(memory.current.get(row.device_id), row, nowMs),
    )
    const changes = all.filter((change) => change.kind !== 'unchanged')
    const added = changes.filter(({ kind }) => kind === 'added').length
    const counts = {
      added,
      changed: changes.length - added,
      unchanged: rows.length - changes.length,
    }
    if (changes.length === 0) return counts
    memory.versionNumber = await writeChanges(database, changes)
    for (const change of changes) remember(memory, change)
    devices = undefined
    for (const { next } of changes) listeners.tell(next.device_id)
    return counts
  }

  const versions = (row: DeviceRow) => [...(memory.past.get(row.device_id) ?? []), row]
  const current = () => {
    devices ??= [...memory.current.values()]
    return devices
  }
  return {
    upsert: (rows) => inTurn(() => upsert(rows)),
    devices: current,
    device: (deviceId) => memory.current.get(deviceId),
    devicesAsOf: (ms) =>
      current().flatMap((row) => versions(row).filter((version) => holds(version, ms))),
    deviceAsOf: (deviceId, ms) => {
      const row = memory.current.get(deviceId)
      if (row === undefined || holds(row, ms)) return row
      const all = versions(row)
      return all.findLast((version) => version.valid_from <= ms) ?? all[0]
    },
    version: () => `registry-${memory.versionNumber}`,
    sites: () => summarizeSites(current()),
    onChange: listeners.add,
  }
}
