import { readFileSync } from 'node:fs'
import { generate } from 'selfsigned'
import { expect, it, onTestFinished } from 'vitest'
import { startMs, temporaryState } from './test-support.ts'

async function opened() {
  const store = await temporaryState()
  onTestFinished(store.remove)
  return store
}

const certificateOf = async (isAuthority: boolean) =>
  (
    await generate([{ name: 'commonName', value: 'Fleet root' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [{ name: 'basicConstraints', cA: isAuthority }],
    })
  ).cert

const none = { sha1: 'A'.repeat(40), sha256: 'B'.repeat(64), serialNumber: '01' }

it('keeps authorities, revocations and policies over a restart, policy keys not in clear', async () => {
  const store = await opened()
  const { trust } = store.state
  const authority = await trust.addAuthority(await certificateOf(true))
  await trust.revoke('aa:bb', 'lost')
  const [primary, secondary] = await trust.setPolicy('device')
  const again = (await store.reopen()).trust
  expect(again.authorities()).toEqual([authority])
  expect(again.revocations()).toEqual([
    { certificate: 'AABB', reason: 'lost', revokedAtMs: startMs },
  ])
  expect(again.isRevoked({ ...none, serialNumber: 'AABB' })).toBe(true)
  expect(again.isRevoked(none)).toBe(false)
  expect(again.policyKeys('device')).toEqual([primary, secondary])
  expect(readFileSync(store.path).toString('latin1')).not.toContain(primary)
})

it('forgets what is taken away and tells of every change', async () => {
  const { trust } = (await opened()).state
  let told = 0
  trust.onChange(() => {
    told++
  })
  const { thumbprint } = await trust.addAuthority(await certificateOf(true))
  await trust.revoke('CC', 'lost')
  await trust.setPolicy('device')
  expect(await trust.removeAuthority(thumbprint)).toBe(true)
  expect(await trust.restore('cc')).toBe(true)
  expect(await trust.removePolicy('device')).toBe(true)
  expect(told).toBe(6)
  expect(trust.authorities()).toEqual([])
  expect(trust.policyKeys('device')).toEqual([])
  expect(trust.isRevoked({ ...none, sha1: 'CC' })).toBe(false)
  expect(await trust.removeAuthority(thumbprint)).toBe(false)
})

it('refuses a certificate that may not issue others, and what is none', async () => {
  const { trust } = (await opened()).state
  await expect(trust.addAuthority(await certificateOf(false))).rejects.toThrow(/may not issue/)
  await expect(trust.addAuthority('-----')).rejects.toThrow(/no PEM certificate/)
  await expect(trust.revoke('not hex', '')).rejects.toThrow(/hexadecimal/)
  expect(trust.authorities()).toEqual([])
})

it('brings thumbprints into one form and refuses what no device could use', async () => {
  const { state } = await opened()
  const set = (credential: Parameters<typeof state.credentials.set>[0][number]['credential']) =>
    state.credentials.set([{ deviceId: 'REF-1', credential }])
  const sha1 = 'ab:'.repeat(20).slice(0, -1)
  await set({ kind: 'x509_thumbprint', primaryThumbprint: sha1, secondaryThumbprint: null })
  await expect(
    set({ kind: 'x509_thumbprint', primaryThumbprint: 'abc', secondaryThumbprint: null }),
  ).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  await expect(
    set({ kind: 'sas', primaryKey: 'c2hvcnQ=', secondaryKey: 'c2hvcnQ=' }),
  ).rejects.toThrow(/5 bytes/)
  for (const topic of ['a/+/b', 'a/#', '$iothub/x', '']) {
    await expect(
      set({ kind: 'password', username: 'u', passwordHash: 'h', topics: [topic] }),
    ).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  }
})
