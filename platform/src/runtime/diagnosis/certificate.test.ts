import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { describe, expect, it } from 'vitest'
import { certificate } from './certificate.ts'
import { settings, temporaryFolder } from './diagnosis-test-support.ts'

const dayMs = 86_400_000

async function made(names: readonly string[], fromDays: number, untilDays: number) {
  const nowMs = Date.now()
  const pair = await generate([{ name: 'commonName', value: names[0] ?? '' }], {
    keyType: 'ec',
    notBeforeDate: new Date(nowMs + fromDays * dayMs),
    notAfterDate: new Date(nowMs + untilDays * dayMs),
    extensions: [
      { name: 'subjectAltName', altNames: names.map((value) => ({ type: 2, value }) as const) },
    ],
  })
  const folder = temporaryFolder()
  const tlsCertificate = join(folder, 'gw.pem')
  const tlsKey = join(folder, 'gw.key')
  writeFileSync(tlsCertificate, pair.cert)
  writeFileSync(tlsKey, pair.private)
  return { tlsCertificate, tlsKey }
}

const good = ['gw.example.com', 'old-hub.azure-devices.net']

describe('the certificate', () => {
  it('is ok with all names, time left and its own key', async () => {
    const findings = await certificate(settings({ ...(await made(good, -1, 90)), hostNames: good }))
    expect(findings).toMatchObject([{ state: 'ok' }])
  })

  it('is failed without a name that devices connect to', async () => {
    const pair = await made(['gw.example.com'], -1, 90)
    const findings = await certificate(settings({ ...pair, hostNames: good }))
    expect(findings).toMatchObject([
      {
        state: 'failed',
        expected: 'a certificate for old-hub.azure-devices.net',
        found: 'one for DNS:gw.example.com',
      },
      { state: 'ok' },
    ])
  })

  it('is failed when it has expired, is not valid yet, and warned of before', async () => {
    const state = async (from: number, until: number) =>
      (await certificate(settings(await made(good, from, until)))).map((found) => found.state)
    expect(await state(-30, -1)).toEqual(['failed'])
    expect(await state(2, 90)).toEqual(['failed'])
    expect(await state(-30, 5)).toEqual(['warning'])
  })

  it('is failed with the key of another one, without a key, and when it is none', async () => {
    const pair = await made(good, -1, 90)
    const { tlsKey } = await made(good, -1, 90)
    expect(await certificate(settings({ ...pair, tlsKey }))).toMatchObject([
      { state: 'failed', where: tlsKey, found: 'the key of another certificate' },
      { state: 'ok' },
    ])
    expect(await certificate(settings({ ...pair, tlsKey: `${tlsKey}.gone` }))).toMatchObject([
      { state: 'failed', found: 'no such file' },
      { state: 'ok' },
    ])
    expect(await certificate(settings({ ...pair, tlsCertificate: tlsKey }))).toMatchObject([
      { state: 'failed', expected: 'a PEM certificate' },
    ])
  })
})
