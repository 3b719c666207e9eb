import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { deriveDeviceKey } from './enrollments.ts'
import { temporaryState } from './test-support.ts'

const group = {
  enrollmentId: 'fridges',
  kind: 'group',
  attestation: { kind: 'symmetric_key' },
  isEnabled: true,
  reprovision: 'migrate',
} as const

async function opened() {
  const store = await temporaryState()
  onTestFinished(store.remove)
  return store
}

test('device keys of a group are those of the Azure service', () => {
  // Vector of the Azure documentation on symmetric key attestation.
  const groupKey =
    '8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw=='
  expect(deriveDeviceKey(groupKey, 'sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6')).toBe(
    'Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=',
  )
})

test('enrollments and the id scope come back after a restart, keys sealed and shown once', async () => {
  const store = await opened()
  const made = await store.state.enrollments.put(group)
  if (made === undefined) throw new Error('no keys were made')
  expect(await store.state.enrollments.put({ ...group, isEnabled: false })).toBeUndefined()
  const { idScope } = store.state.enrollments
  const { enrollments } = await store.reopen()
  expect(enrollments.idScope).toBe(idScope)
  expect(enrollments.list()).toEqual([{ ...group, isEnabled: false }])
  expect(enrollments.candidates('sn-1')[0]?.keys).toEqual([
    deriveDeviceKey(made.primaryKey, 'sn-1'),
    deriveDeviceKey(made.secondaryKey, 'sn-1'),
  ])
  expect(readFileSync(store.path).toString('latin1')).not.toContain(made.primaryKey)
  expect(await enrollments.remove('fridges')).toBe(true)
  expect(await enrollments.remove('fridges')).toBe(false)
  expect(enrollments.candidates('sn-1')).toEqual([])
})

test('enrollments that contradict themselves are refused', async () => {
  const { state } = await opened()
  const thumbprint = {
    kind: 'x509_thumbprint',
    primaryThumbprint: 'A'.repeat(64),
    secondaryThumbprint: null,
  } as const
  const wrong = [
    { ...group, enrollmentId: 'a/b' },
    { ...group, deviceId: 'REF-1' },
    { ...group, attestation: thumbprint },
    { ...group, kind: 'individual', attestation: { kind: 'x509_ca', certificate: '' } },
  ] as const
  for (const one of wrong) {
    await expect(async () => state.enrollments.put(one)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    })
  }
})
