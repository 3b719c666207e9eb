import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { hashPassword } from './password-hash.ts'
import { generateSasKeys } from './sas-keys.ts'
import { createSecretBox } from './secret-box.ts'
import { openState } from './state.ts'
import { deviceRow, secretKey, startMs, temporaryState } from './test-support.ts'

async function opened() {
  const store = await temporaryState()
  onTestFinished(store.remove)
  await store.state.registry.upsert([deviceRow('REF-1'), deviceRow('REF-2')])
  return store
}

describe('credentials (ING-3)', () => {
  it('gives back SAS keys and user names after reopening', async () => {
    const store = await opened()
    const keys = generateSasKeys()
    const passwordHash = await hashPassword('correct horse')
    await store.state.credentials.set([
      { deviceId: 'REF-1', credential: keys },
      { deviceId: 'REF-1', credential: { kind: 'password', username: 'unit1', passwordHash } },
    ])
    const { identity } = (await store.reopen()).credentials
    expect(identity.device('REF-1')?.credentials).toContainEqual(keys)
    expect(identity.deviceByUsername('unit1')?.device.device_id).toBe('REF-1')
    expect(identity.device('REF-9')).toBeUndefined()
  })

  it('writes no key in clear to the disk', async () => {
    const store = await opened()
    const keys = generateSasKeys()
    await store.state.credentials.set([{ deviceId: 'REF-1', credential: keys }])
    await store.reopen()
    const bytes = readFileSync(store.path).toString('latin1')
    expect(bytes).toContain('REF-1')
    expect(bytes).not.toContain(keys.primaryKey)
    expect(bytes).not.toContain(keys.secondaryKey.slice(0, 20))
  })

  it('does not open with another key, nor for another device', async () => {
    const store = await opened()
    await store.state.credentials.set([{ deviceId: 'REF-1', credential: generateSasKeys() }])
    await store.state.close()
    const other = new Uint8Array(32).fill(8)
    const state = await openState({ path: store.path, secretKey: other, clock: () => startMs })
    expect(() => state.credentials.identity.device('REF-1')).toThrow(/REF-1 cannot be opened/)
    await state.close()
    const box = createSecretBox(secretKey)
    expect(box.open(box.seal('s', 'REF-1'), 'REF-1')).toBe('s')
    expect(() => box.open(box.seal('s', 'REF-1'), 'REF-2')).toThrow(/REF-2 cannot be opened/)
  })

  it('knows a collector by the hash of its token only, and forgets the token it replaced', async () => {
    const store = await opened()
    const first = await store.state.credentials.addCollector({
      collectorId: 'importer',
      mayBackdate: true,
    })
    const second = await store.state.credentials.addCollector({
      collectorId: 'importer',
      mayBackdate: false,
    })
    const { identity } = (await store.reopen()).credentials
    const sha256 = (token: string) => createHash('sha256').update(token).digest('hex')
    expect(identity.collector(sha256(first.token))).toBeUndefined()
    expect(identity.collector(sha256(second.token))).toMatchObject({ mayBackdate: false })
    expect(readFileSync(store.path).toString('latin1')).not.toContain(second.token)
  })

  it('refuses a user name of another device and keeps both as they were', async () => {
    const { state } = await opened()
    const credential = { kind: 'password', username: 'unit', passwordHash: 'x' } as const
    await state.credentials.set([{ deviceId: 'REF-1', credential }])
    await expect(state.credentials.set([{ deviceId: 'REF-2', credential }])).rejects.toMatchObject({
      code: 'CONFLICT',
    })
    expect(state.credentials.identity.deviceByUsername('unit')?.device.device_id).toBe('REF-1')
    expect(state.credentials.identity.device('REF-2')?.credentials).toEqual([])
  })

  it('tells listeners when credentials change or go', async () => {
    const { state } = await opened()
    const told: string[] = []
    const leave = state.credentials.identity.onChange((deviceId) => told.push(deviceId))
    await state.credentials.set([{ deviceId: 'REF-1', credential: generateSasKeys() }])
    await state.credentials.revoke('REF-1')
    leave()
    await state.credentials.revoke('REF-2')
    expect(told).toEqual(['REF-1', 'REF-1'])
    expect(state.credentials.identity.device('REF-1')?.credentials).toEqual([])
  })

  it('hashes a password in the form the gateway checks, never twice the same', async () => {
    const hash = await hashPassword('correct horse')
    expect(hash).toMatch(/^scrypt\$\d+\$8\$1\$[A-Za-z0-9+/=]{24}\$[A-Za-z0-9+/=]{44}$/)
    expect(await hashPassword('correct horse')).not.toBe(hash)
  })
})
