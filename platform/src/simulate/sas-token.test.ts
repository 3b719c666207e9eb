import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createSasToken } from './sas-token.ts'

describe('createSasToken', () => {
  test('signs the vector of ING-5', () => {
    const token = createSasToken({
      host: 'gw.example.com',
      deviceId: 'REF-US-W-00042371',
      key: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
      expiresAtS: 1771151537,
    })
    expect(token).toBe(
      'SharedAccessSignature sr=gw.example.com%2Fdevices%2FREF-US-W-00042371&sig=sdCbe6TucmCDocEoUwUcWsNQbUEftyHif2W0R2Aux34%3D&se=1771151537',
    )
  })

  test('signs the resource exactly as it is sent, whatever the device is called', () => {
    const key = Buffer.alloc(32, 7).toString('base64')
    const token = createSasToken({ host: 'h', deviceId: 'a.b:c_d-1', key, expiresAtS: 60 })
    const [resource, signature] = token
      .replace('SharedAccessSignature ', '')
      .split('&')
      .map((field) => field.slice(field.indexOf('=') + 1))
    const expected = createHmac('sha256', Buffer.alloc(32, 7)).update(`${resource}\n60`)
    expect(decodeURIComponent(signature ?? '')).toBe(expected.digest('base64'))
    expect(decodeURIComponent(resource ?? '')).toBe('h/devices/a.b:c_d-1')
  })
})
