import { expect, test } from 'vitest'
import { type SasCheck, signSasToken, verifySasToken } from './sas-token.ts'

const ingKey = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
const hubKey = 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY='
const ingToken =
  'SharedAccessSignature sr=gw.example.com%2Fdevices%2FREF-US-W-00042371&' +
  'sig=sdCbe6TucmCDocEoUwUcWsNQbUEftyHif2W0R2Aux34%3D&se=1771151537'

function check(changes: Partial<SasCheck> = {}): SasCheck {
  return {
    deviceId: 'REF-US-W-00042371',
    keys: [ingKey],
    hostNames: new Set(['gw.example.com']),
    nowMs: 1771151537_000 - 1,
    leewayMs: 60_000,
    ...changes,
  }
}

function refusal(token: string, changes: Partial<SasCheck> = {}): string {
  const verdict = verifySasToken(token, check(changes))
  return verdict.kind === 'refused' ? verdict.reason : 'valid'
}

test('the vector of ING-5 is accepted until its expiry plus 60 s', () => {
  expect(verifySasToken(ingToken, check())).toEqual({
    kind: 'valid',
    expiresAtMs: 1771151537_000,
    key: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
  })
  expect(refusal(ingToken, { nowMs: 1771151537_000 + 59_999 })).toBe('valid')
  expect(refusal(ingToken, { nowMs: 1771151537_000 + 60_000 })).toMatch(/expired 60 s ago/)
})

test('the hub vectors: fields in any order, sr as it was sent, encoded or not', () => {
  const deviceToken =
    'SharedAccessSignature sig=x6qCWu5%2BZ4dUNrd3yV8hesh9dwuEhKSzV1u9wnKfY2c%3D&se=1795220798&' +
    'sr=localhost%2Fdevices%2FFridge-01.a'
  const changes = {
    deviceId: 'Fridge-01.a',
    keys: [hubKey],
    hostNames: new Set(['localhost']),
    nowMs: 1795220000_000,
  }
  expect(refusal(deviceToken, changes)).toBe('valid')
  const registration =
    'SharedAccessSignature sr=0ne000ABC/registrations/fridge-77&' +
    'sig=4PI0lDj2Zq2weRF44uYfZg%2BybDYYqHVogclDxnUGnJU%3D&se=1795220864&skn=registration'
  // The signature is right: only the audience, a provisioning service, is not a device's.
  expect(refusal(registration, changes)).toBe('token is for another host or device')
})

test('either key may have signed, a third may not', () => {
  expect(refusal(ingToken, { keys: [hubKey, ingKey] })).toBe('valid')
  expect(refusal(ingToken, { keys: [hubKey] })).toMatch(/does not match any key/)
})

test('the audience is compared by segments, the host without case', () => {
  const tokenFor = (resource: string): string => {
    const [hostName = '', , deviceId = ''] = resource.split('/')
    return signSasToken({ hostName, deviceId, key: ingKey, expiresAtMs: 1771151537_000 })
  }
  expect(refusal(tokenFor('GW.Example.COM/devices/REF-US-W-00042371'))).toBe('valid')
  for (const resource of [
    'gw.example.com/devices/REF-US-W-0004237',
    'gw.example.com/devices/ref-us-w-00042371',
    'other.example.com/devices/REF-US-W-00042371',
  ]) {
    expect(refusal(tokenFor(resource))).toMatch(/another host or device/)
  }
})

test('what is no token is refused and never thrown', () => {
  for (const token of [
    '',
    'SharedAccessSignature ',
    'SharedAccessSignature sr=%&sig=%&se=1',
    'SharedAccessSignature sr=a&sig=b',
    'SharedAccessSignature sr=a&sig=b&se=soon',
    ingToken.replace('x34%3D', 'x34%3'),
    ingToken.replace('&se=1771151537', '&se=1771151538'),
  ]) {
    expect(verifySasToken(token, check()).kind).toBe('refused')
  }
})
