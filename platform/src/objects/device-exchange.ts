import { sql } from 'kysely'
import { type Credential, type DeviceRow, IsothermError, newDevice } from '../contracts/index.ts'
import { checkedCredential } from './credential-rules.ts'
import type { Credentials } from './credentials.ts'
import type { Twins } from './device-twins.ts'
import { authenticationOf, credentialsOf, type HubDevice, rowAfter } from './hub-device.ts'
import type { Registry } from './registry.ts'
import type { StateDatabase } from './state-database.ts'
import { emptyTwin, etagOf, type JsonObject, twinDocument } from './twin-document.ts'
import { importedTwin, type TwinBody } from './twin-import.ts'

/** What became of one line of an import. */
export type ImportOutcome = {
  readonly id: string
  readonly result: 'created' | 'updated' | 'deleted' | 'failed'
  /** Why it failed. */
  readonly reason?: string
}

/** The registry as a whole in IoT Hub's format, in and out. */
export type DeviceExchange = {
  /**
   * Imports devices; each line by itself, so that a bad one costs no other. Repeating an import
   * that was cut short ends in the same state.
   * @param defaults columns of new devices that the lines say nothing about
   */
  readonly importDevices: (
    devices: readonly HubDevice[],
    defaults: Partial<DeviceRow>,
  ) => Promise<readonly ImportOutcome[]>
  /**
   * Devices in the order of their ids, after the given one.
   * @param withKeys include the secrets; whoever gets them can be any of the devices
   */
  readonly exportDevices: (options: {
    readonly after?: string
    readonly limit: number
    readonly withKeys: boolean
  }) => Promise<readonly HubDevice[]>
}

/** What the hub's format knows of a device that no other table holds. */
type HubFacts = {
  readonly eTag: string
  readonly statusReason: string | null
  readonly capabilities: JsonObject
}

type Parts = {
  readonly database: StateDatabase
  readonly registry: Registry
  readonly credentials: Credentials
  readonly twins: Twins
  readonly clock: () => number
}

const deviceIdPattern = /^[A-Za-z0-9\-._:]{1,128}$/
const noFacts: HubFacts = {
  eTag: Buffer.from('0').toString('base64'),
  statusReason: null,
  capabilities: { iotEdge: false },
}

async function bodiesOf(
  database: StateDatabase,
  table: 'hub_devices' | 'device_twins',
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ device_id: string; body: string }>`
    SELECT device_id, body FROM ${sql.table(table)}
    WHERE device_id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`.execute(database)
  return new Map(rows.map(({ device_id: id, body }) => [id, body]))
}

async function writeBodies(
  database: StateDatabase,
  table: 'hub_devices' | 'device_twins',
  bodies: ReadonlyMap<string, unknown>,
): Promise<void> {
  if (bodies.size === 0) return
  const rows = JSON.stringify([...bodies].map(([id, body]) => ({ id, body: JSON.stringify(body) })))
  await sql`
    INSERT INTO ${sql.table(table)} (device_id, body)
    SELECT value ->> 'id', value ->> 'body' FROM json_each(${rows}) WHERE true
    ON CONFLICT (device_id) DO UPDATE SET body = excluded.body`.execute(database)
}

const factsIn = (bodies: ReadonlyMap<string, string>, id: string): HubFacts => {
  const body = bodies.get(id)
  return body === undefined ? noFacts : (JSON.parse(body) as HubFacts)
}

/** The ETag after one more change. */
function nextETag(eTag: string): string {
  const count = Number(Buffer.from(eTag, 'base64').toString('latin1'))
  return Buffer.from(String(Number.isSafeInteger(count) ? count + 1 : 1)).toString('base64')
}

type Step = 'create' | 'update' | 'delete' | 'twin'

/** What a line does to a device that is there or not, or why it cannot. */
function stepOf(device: HubDevice, isKnown: boolean, eTag: string): Step | { fault: string } {
  const mode = device.importMode ?? 'createOrUpdate'
  if (device.moduleId) return { fault: 'modules are not supported' }
  if (!deviceIdPattern.test(device.id)) {
    return { fault: 'the id is not allowed here: use 1 to 128 of A-Z a-z 0-9 - . _ :' }
  }
  if (mode.endsWith('IfMatchETag') && isKnown && !mode.startsWith('updateTwin')) {
    if (device.eTag !== '*' && device.eTag !== eTag) return { fault: 'the ETag has changed' }
  }
  if (mode === 'create') return isKnown ? { fault: 'the device exists already' } : 'create'
  if (mode.startsWith('createOrUpdate')) return isKnown ? 'update' : 'create'
  if (!isKnown) return { fault: 'there is no such device' }
  if (mode.startsWith('delete')) return 'delete'
  return mode.startsWith('updateTwin') ? 'twin' : 'update'
}

/** Changes of many devices, collected so that each table is written once. */
type Plan = {
  readonly rows: Map<string, DeviceRow>
  readonly credentials: Parameters<Credentials['set']>[0][number][]
  readonly facts: Map<string, HubFacts>
  readonly newTwins: Map<string, TwinBody>
  readonly twinUpdates: HubDevice[]
  readonly usernames: Map<string, string>
  readonly ownerOf: (username: string) => string | undefined
  /** Devices whose earlier credentials end. */
  readonly cleared: string[]
}

/** @throws IsothermError CONFLICT if a user name is another device's, also of this import */
function claimUsername(plan: Plan, deviceId: string, username: string): void {
  const owner = plan.usernames.get(username) ?? plan.ownerOf(username)
  if (owner !== undefined && owner !== deviceId) {
    throw new IsothermError('CONFLICT', `user name ${username} belongs to device ${owner}`)
  }
  plan.usernames.set(username, deviceId)
}

function planDevice(
  plan: Plan,
  device: HubDevice,
  step: 'create' | 'update',
  before: {
    readonly row: DeviceRow
    readonly facts: HubFacts
    readonly credentials: readonly Credential[]
  },
): void {
  const isNew = step === 'create'
  const { id } = device
  // What may be refused comes first: a line is planned whole or not at all.
  const twin = isNew ? importedTwin(device) : undefined
  if (isNew || device.authentication || device.isotherm?.username !== undefined) {
    const wanted = credentialsOf(device, before.credentials).map((one) =>
      checkedCredential(id, one),
    )
    for (const one of wanted) if (one.kind === 'password') claimUsername(plan, id, one.username)
    if (!isNew) plan.cleared.push(id)
    for (const credential of wanted) plan.credentials.push({ deviceId: id, credential })
  }
  plan.rows.set(id, rowAfter(before.row, device, isNew))
  plan.facts.set(id, {
    eTag: device.eTag && device.eTag !== '*' ? device.eTag : nextETag(before.facts.eTag),
    statusReason: device.statusReason ?? null,
    capabilities: device.capabilities ?? before.facts.capabilities,
  })
  if (twin !== undefined) plan.newTwins.set(id, twin)
  if (!isNew && (device.tags || device.properties?.desired)) plan.twinUpdates.push(device)
}

async function updateTwin(twins: Twins, device: HubDevice): Promise<string | undefined> {
  const { importMode, twinETag, tags, properties } = device
  const isMatched = importMode === 'updateTwinIfMatchETag'
  const done = await twins.update(device.id, {
    ...(tags && { tags }),
    ...(properties?.desired && { desired: properties.desired }),
    isReplace: true,
    ...(isMatched && { ifMatch: twinETag ?? '' }),
  })
  if (done.kind === 'changed') return undefined
  return done.kind === 'stale' ? 'the ETag of the twin has changed' : done.message
}

async function writePlan(parts: Parts, plan: Plan): Promise<ReadonlyMap<string, string>> {
  const { database, registry, credentials, twins } = parts
  await registry.upsert([...plan.rows.values()])
  await credentials.replace(plan.cleared, plan.credentials)
  await writeBodies(database, 'hub_devices', plan.facts)
  await writeBodies(database, 'device_twins', plan.newTwins)
  const faults = new Map<string, string>()
  for (const device of plan.twinUpdates) {
    const fault = await updateTwin(twins, device)
    if (fault !== undefined) faults.set(device.id, fault)
  }
  return faults
}

async function importDevices(
  parts: Parts,
  devices: readonly HubDevice[],
  defaults: Partial<DeviceRow>,
): Promise<readonly ImportOutcome[]> {
  const { database, registry, clock } = parts
  const ids = devices.map(({ id }) => id)
  const facts = await bodiesOf(database, 'hub_devices', ids)
  const plan: Plan = {
    rows: new Map(),
    credentials: [],
    facts: new Map(),
    newTwins: new Map(),
    twinUpdates: [],
    usernames: new Map(),
    ownerOf: (username) => parts.credentials.identity.deviceByUsername(username)?.device.device_id,
    cleared: [],
  }
  const seen = new Set<string>()
  const results = {
    create: 'created',
    update: 'updated',
    delete: 'deleted',
    twin: 'updated',
  } as const
  const planned = devices.map((device): ImportOutcome => {
    const { id } = device
    const failed = (reason: string): ImportOutcome => ({ id, result: 'failed', reason })
    if (seen.has(id)) return failed('the device is there twice; the first line counts')
    seen.add(id)
    const known = registry.device(id)
    const own = factsIn(facts, id)
    const step = stepOf(device, known !== undefined, own.eTag)
    if (typeof step === 'object') return failed(step.fault)
    const row = known ?? newDevice({ ...defaults, device_id: id, valid_from: clock() })
    if (step === 'delete') {
      plan.rows.set(id, { ...row, status: 'decommissioned' })
      plan.cleared.push(id)
    } else if (step === 'twin') plan.twinUpdates.push(device)
    else {
      try {
        const credentials = parts.credentials.identity.device(id)?.credentials ?? []
        planDevice(plan, device, step, { row, facts: own, credentials })
      } catch (error) {
        // A key, thumbprint or twin that cannot be one: the line fails, the others go on.
        if (!(error instanceof IsothermError)) throw error
        return failed(error.message)
      }
    }
    return { id, result: results[step] }
  })
  const faults = await writePlan(parts, plan)
  return planned.map((outcome) => {
    const reason = outcome.result === 'failed' ? undefined : faults.get(outcome.id)
    return reason === undefined ? outcome : { id: outcome.id, result: 'failed', reason }
  })
}

function exported(
  parts: Parts,
  row: DeviceRow,
  bodies: { readonly facts: HubFacts; readonly twin: TwinBody },
  withKeys: boolean,
): HubDevice {
  const { device_id: id, valid_from: _from, valid_to: _to, ...columns } = row
  const credentials = parts.credentials.identity.device(id)?.credentials ?? []
  const password = credentials.find((one) => one.kind === 'password')
  const { tags, properties } = twinDocument(id, bodies.twin)
  return {
    id,
    eTag: bodies.facts.eTag,
    status: row.status === 'active' ? 'enabled' : 'disabled',
    statusReason: bodies.facts.statusReason,
    authentication: authenticationOf(credentials, withKeys),
    twinETag: etagOf(bodies.twin),
    tags: tags as NonNullable<HubDevice['tags']>,
    properties: properties as NonNullable<HubDevice['properties']>,
    capabilities: bodies.facts.capabilities as NonNullable<HubDevice['capabilities']>,
    isotherm: {
      ...columns,
      expected_sensors: columns.expected_sensors === null ? null : [...columns.expected_sensors],
      ...(withKeys &&
        password !== undefined && {
          username: password.username,
          passwordHash: password.passwordHash,
          ...(password.topics && { topics: [...password.topics] }),
        }),
    } as NonNullable<HubDevice['isotherm']>,
  }
}

/** Opens the exchange over the parts of the state store. */
export function openDeviceExchange(parts: Parts): DeviceExchange {
  const { database, registry } = parts
  return {
    importDevices: (devices, defaults) => importDevices(parts, devices, defaults),
    exportDevices: async ({ after = '', limit, withKeys }) => {
      const rows = registry
        .devices()
        .filter(({ device_id: id }) => id > after)
        .toSorted((a, b) => (a.device_id < b.device_id ? -1 : 1))
        .slice(0, limit)
      const ids = rows.map(({ device_id: id }) => id)
      const facts = await bodiesOf(database, 'hub_devices', ids)
      const twins = await bodiesOf(database, 'device_twins', ids)
      return rows.map((row) => {
        const body = twins.get(row.device_id)
        const twin = body === undefined ? emptyTwin : (JSON.parse(body) as TwinBody)
        return exported(parts, row, { facts: factsIn(facts, row.device_id), twin }, withKeys)
      })
    },
  }
}
