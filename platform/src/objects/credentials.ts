import { createHash, randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import {
  type CollectorIdentity,
  type Credential,
  type DeviceIdentity,
  type IdentityDirectory,
  IsothermError,
} from '../contracts/index.ts'
import { checkedCredential } from './credential-rules.ts'
import { createListeners } from './listeners.ts'
import { oneAtATime } from './one-at-a-time.ts'
import type { Registry } from './registry.ts'
import { secretSize } from './sas-keys.ts'
import type { SecretBox } from './secret-box.ts'
import type { StateDatabase } from './state-database.ts'
import type { Trust } from './trust.ts'

/** Credentials of devices and collectors. Secrets are sealed on disk and never listed. */
export type Credentials = {
  /**
   * Sets credentials, one of each kind per device; an existing one of that kind is replaced.
   * @throws IsothermError INPUT_INVALID for a thumbprint, key or topic that cannot be one
   * @throws IsothermError CONFLICT if a user name belongs to another device; nothing is written
   */
  readonly set: (
    entries: readonly { readonly deviceId: string; readonly credential: Credential }[],
  ) => Promise<void>
  /**
   * Sets credentials of devices after removing all that the named devices had.
   * @throws IsothermError as `set`; nothing is written
   */
  readonly replace: (
    deviceIds: readonly string[],
    entries: readonly { readonly deviceId: string; readonly credential: Credential }[],
  ) => Promise<void>
  /** Removes all credentials of a device. */
  readonly revoke: (deviceId: string) => Promise<void>
  /** Creates a collector, or replaces its token; the token is returned once and only hashed here. */
  readonly addCollector: (collector: {
    readonly collectorId: string
    readonly mayBackdate: boolean
  }) => Promise<{ readonly token: string }>
  readonly identity: IdentityDirectory
}

type Sealed = {
  readonly kind: Credential['kind']
  readonly username: string | null
  readonly secret: string
}

type CredentialMemory = {
  readonly byDevice: Map<string, readonly Sealed[]>
  readonly byUsername: Map<string, string>
  readonly byToken: Map<string, CollectorIdentity>
}

async function load(database: StateDatabase): Promise<CredentialMemory> {
  const memory: CredentialMemory = {
    byDevice: new Map(),
    byUsername: new Map(),
    byToken: new Map(),
  }
  for (const row of await database.selectFrom('credentials').selectAll().execute()) {
    // Only what `set` has written is in the table.
    const kind = row.kind as Credential['kind']
    const others = memory.byDevice.get(row.device_id) ?? []
    memory.byDevice.set(row.device_id, [
      ...others,
      { kind, username: row.username, secret: row.secret },
    ])
    if (row.username !== null) memory.byUsername.set(row.username, row.device_id)
  }
  for (const row of await database.selectFrom('collectors').selectAll().execute()) {
    memory.byToken.set(row.token_hash, {
      collectorId: row.collector_id,
      tokenHash: row.token_hash,
      mayBackdate: row.may_backdate === 1,
    })
  }
  return memory
}

type CredentialRow = {
  readonly device_id: string
  readonly kind: Credential['kind']
  readonly username: string | null
  readonly secret: string
}

async function writeCredentials(
  database: StateDatabase,
  rows: readonly CredentialRow[],
): Promise<void> {
  await sql`
    INSERT INTO credentials (device_id, kind, username, secret)
    SELECT value ->> 'device_id', value ->> 'kind', value ->> 'username', value ->> 'secret'
    FROM json_each(${JSON.stringify(rows)}) WHERE true
    ON CONFLICT (device_id, kind)
    DO UPDATE SET username = excluded.username, secret = excluded.secret`.execute(database)
}

function forget(memory: CredentialMemory, deviceId: string, kind?: Credential['kind']): void {
  const all = memory.byDevice.get(deviceId) ?? []
  const gone = all.filter((sealed) => kind === undefined || sealed.kind === kind)
  memory.byDevice.set(
    deviceId,
    all.filter((sealed) => !gone.includes(sealed)),
  )
  for (const { username } of gone) if (username !== null) memory.byUsername.delete(username)
}

function refuseTakenUsernames(memory: CredentialMemory, rows: readonly CredentialRow[]): void {
  const owners = new Map(memory.byUsername)
  for (const { username, device_id: deviceId } of rows) {
    if (username === null) continue
    const owner = owners.get(username)
    if (owner !== undefined && owner !== deviceId) {
      throw new IsothermError(
        'CONFLICT',
        `user name ${username} of device ${deviceId} belongs to device ${owner}; choose another`,
      )
    }
    owners.set(username, deviceId)
  }
}

async function replaceCollector(
  database: StateDatabase,
  memory: CredentialMemory,
  { collectorId, mayBackdate }: { readonly collectorId: string; readonly mayBackdate: boolean },
): Promise<{ readonly token: string }> {
  const token = randomBytes(secretSize).toString('base64url')
  const tokenHash = createHash('sha256').update(token).digest('hex')
  const row = { token_hash: tokenHash, may_backdate: mayBackdate ? 1 : 0 }
  await database
    .insertInto('collectors')
    .values({ collector_id: collectorId, ...row })
    .onConflict((conflict) => conflict.column('collector_id').doUpdateSet(row))
    .execute()
  for (const [hash, collector] of memory.byToken) {
    if (collector.collectorId === collectorId) memory.byToken.delete(hash)
  }
  memory.byToken.set(tokenHash, { collectorId, tokenHash, mayBackdate })
  return { token }
}

/** Opens the credentials over their tables; identities join them with the registry. */
export async function openCredentials(
  database: StateDatabase,
  registry: Registry,
  trust: Trust,
  box: SecretBox,
): Promise<Credentials> {
  const memory = await load(database)
  const inTurn = oneAtATime()
  const changed = createListeners<string>()
  registry.onChange(changed.tell)

  const replace: Credentials['replace'] = async (deviceIds, entries) => {
    const rows = entries.map(({ deviceId, credential }) => ({
      device_id: deviceId,
      kind: credential.kind,
      username: credential.kind === 'password' ? credential.username : null,
      secret: box.seal(JSON.stringify(checkedCredential(deviceId, credential)), deviceId),
    }))
    refuseTakenUsernames(memory, rows)
    await database.transaction().execute(async (transaction) => {
      if (deviceIds.length > 0) {
        await sql`DELETE FROM credentials WHERE device_id IN
          (SELECT value FROM json_each(${JSON.stringify(deviceIds)}))`.execute(transaction)
      }
      await writeCredentials(transaction, rows)
    })
    for (const deviceId of deviceIds) forget(memory, deviceId)
    for (const row of rows) {
      forget(memory, row.device_id, row.kind)
      memory.byDevice.set(row.device_id, [...(memory.byDevice.get(row.device_id) ?? []), row])
      if (row.username !== null) memory.byUsername.set(row.username, row.device_id)
    }
    const told = new Set([...deviceIds, ...rows.map(({ device_id: id }) => id)])
    for (const deviceId of told) changed.tell(deviceId)
  }

  const revoke: Credentials['revoke'] = async (deviceId) => {
    await database.deleteFrom('credentials').where('device_id', '=', deviceId).execute()
    forget(memory, deviceId)
    changed.tell(deviceId)
  }

  const device = (deviceId: string): DeviceIdentity | undefined => {
    const row = registry.device(deviceId)
    if (row === undefined) return undefined
    const sealed = memory.byDevice.get(deviceId) ?? []
    const credentials = sealed.map(
      ({ secret }) => JSON.parse(box.open(secret, deviceId)) as Credential,
    )
    return { device: row, credentials }
  }
  return {
    set: (entries) => inTurn(() => replace([], entries)),
    replace: (deviceIds, entries) => inTurn(() => replace(deviceIds, entries)),
    revoke: (deviceId) => inTurn(() => revoke(deviceId)),
    addCollector: (collector) => inTurn(() => replaceCollector(database, memory, collector)),
    identity: {
      device,
      deviceByUsername: (username) => {
        const deviceId = memory.byUsername.get(username)
        return deviceId === undefined ? undefined : device(deviceId)
      },
      collector: (tokenHash) => memory.byToken.get(tokenHash),
      authorities: trust.authorities,
      isRevoked: trust.isRevoked,
      policyKeys: trust.policyKeys,
      onChange: changed.add,
      onTrustChange: trust.onChange,
    },
  }
}
