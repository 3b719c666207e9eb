import { hashPassword } from 'isotherm/objects'
import {
  certificate,
  freshKey,
  type IdentityBench,
  type Login,
  namesOf,
  oldHost,
  ownHost,
  token,
} from './bench.ts'

/** One attempt to enter and what must come of it. */
export type Case = { readonly name: string; readonly login: Login; readonly isIn: boolean }

const encoded = (text: string) => encodeURIComponent(text)
const hubName = (id: string, host = ownHost) => `${host}/${id}/?api-version=2021-04-12`
const audience = (id: string, host = ownHost) => encoded(`${host}/devices/${id}`)

/** The login of a hub client with a token. */
function hub(clientId: string, password: string, username = hubName(clientId)): Login {
  return { clientId, username, password }
}

const allowed = (name: string, login: Login): Case => ({ name, login, isIn: true })
const denied = (name: string, login: Login): Case => ({ name, login, isIn: false })

/** Tokens of devices: 42 cases. */
export async function tokenCases(bench: IdentityBench): Promise<readonly Case[]> {
  const { state, addDevice } = bench
  const keys = { primary: freshKey(), secondary: freshKey() }
  const other = freshKey()
  const rolled = { old: freshKey(), kept: freshKey(), fresh: freshKey() }
  const set = (deviceId: string, primaryKey: string, secondaryKey: string) =>
    state.credentials.set([{ deviceId, credential: { kind: 'sas', primaryKey, secondaryKey } }])
  for (const id of ['D1', 'D2', 'D-rolled', 'D-bare']) await addDevice(id)
  await addDevice('D-off', 'disabled')
  await addDevice('D-gone', 'decommissioned')
  for (const id of ['D1', 'D-off', 'D-gone']) await set(id, keys.primary, keys.secondary)
  await set('D2', other, other)
  await set('D-rolled', rolled.old, rolled.kept)
  await set('D-rolled', rolled.fresh, rolled.kept)
  const right = token(audience('D1'), keys.primary)
  const field = (name: string) => new RegExp(`${name}=[^&]*`)
  const [, sr = '', sig = '', se = ''] = /(sr=[^&]*)&(sig=[^&]*)&(se=\d+)/.exec(right) ?? []
  const d1 = (password: string) => hub('D1', password)
  return [
    allowed('primary key', d1(right)),
    allowed('secondary key', d1(token(audience('D1'), keys.secondary))),
    allowed(
      'host of the old hub',
      hub('D1', token(audience('D1', oldHost), keys.primary), hubName('D1', oldHost)),
    ),
    allowed('host in capitals', d1(token(audience('D1', ownHost.toUpperCase()), keys.primary))),
    allowed(
      'percent codes in small letters',
      d1(token(audience('D1').replaceAll('%2F', '%2f'), keys.primary)),
    ),
    allowed('audience not encoded', d1(token(`${ownHost}/devices/D1`, keys.primary))),
    allowed('fields in another order', d1(`SharedAccessSignature ${se}&${sig}&${sr}`)),
    allowed('base64 not encoded', d1(right.replace(field('sig'), decodeURIComponent(sig)))),
    allowed(
      'audience of all devices, own key',
      d1(token(encoded(`${ownHost}/devices`), keys.primary)),
    ),
    allowed(
      'expired half a minute ago',
      d1(token(audience('D1'), keys.primary, { inSeconds: -30 })),
    ),
    allowed('older user name', hub('D1', right, `${ownHost}/D1/api-version=2016-11-14`)),
    allowed('user name without version', hub('D1', right, `${ownHost}/D1`)),
    allowed('model id in the user name', hub('D1', right, `${hubName('D1')}&model-id=dtmi:a:b;1`)),
    allowed('key made anew', hub('D-rolled', token(audience('D-rolled'), rolled.fresh))),
    allowed('key kept in a roll-over', hub('D-rolled', token(audience('D-rolled'), rolled.kept))),
    denied('key replaced in a roll-over', hub('D-rolled', token(audience('D-rolled'), rolled.old))),
    denied('expired two minutes ago', d1(token(audience('D1'), keys.primary, { inSeconds: -120 }))),
    denied(
      'signature changed',
      d1(right.replace(/sig=(.)/, (_, c) => `sig=${c === 'A' ? 'B' : 'A'}`)),
    ),
    denied('signature cut', d1(right.replace(/(sig=[^&]{10})[^&]*/, '$1'))),
    denied('expiry moved', d1(right.replace(field('se'), 'se=4102444800'))),
    denied('audience moved to another device', hub('D2', right.replace('D1', 'D2'))),
    denied('token of another host', d1(token(audience('D1', 'evil.example.com'), keys.primary))),
    denied("another device's token", d1(token(audience('D2'), other))),
    denied("another device's key", d1(token(audience('D1'), other))),
    denied('audience is a prefix of the id', d1(token(audience('D'), keys.primary))),
    denied(
      'audience goes on after the id',
      d1(token(encoded(`${ownHost}/devices/D1/messages`), keys.primary)),
    ),
    denied('audience is the host alone', d1(token(encoded(ownHost), keys.primary))),
    denied('random key', d1(token(audience('D1'), freshKey()))),
    denied('empty key', d1(token(audience('D1'), ''))),
    denied('no signature', d1(`SharedAccessSignature ${sr}&${se}`)),
    denied('no expiry', d1(`SharedAccessSignature ${sr}&${sig}`)),
    denied('expiry is no number', d1(right.replace(field('se'), 'se=1e99'))),
    denied('two blanks', d1(right.replace(' ', '  '))),
    denied('prefix in small letters', d1(right.toLowerCase())),
    denied('client id of another device', hub('D2', right, hubName('D1'))),
    denied('no user name', { clientId: 'D1', username: '', password: right }),
    denied('not registered', hub('D3', token(audience('D3'), keys.primary))),
    denied('id in other letters', hub('d1', token(audience('d1'), keys.primary))),
    denied('disabled', hub('D-off', token(audience('D-off'), keys.primary))),
    denied('decommissioned', hub('D-gone', token(audience('D-gone'), keys.primary))),
    denied('device without credentials', hub('D-bare', token(audience('D-bare'), ''))),
    denied('empty password', d1('')),
  ]
}

/** Shared access policies: 8 cases. */
export async function policyCases(bench: IdentityBench): Promise<readonly Case[]> {
  const { trust } = bench.state
  const [primary, secondary] = await trust.setPolicy('device')
  const [removed] = await trust.setPolicy('former')
  await trust.removePolicy('former')
  const all = encoded(`${ownHost}/devices`)
  const enter = (sr: string, key: string, policy: string, id = 'D1') =>
    hub(id, token(sr, key, { policy }))
  return [
    allowed('policy for all devices', enter(all, primary, 'device')),
    allowed('policy for the host', enter(encoded(ownHost), primary, 'device')),
    allowed('policy for one device, second key', enter(audience('D1'), secondary, 'device')),
    denied('policy for another device', enter(audience('D2'), primary, 'device')),
    denied('policy nobody made', enter(all, primary, 'iothubowner')),
    denied('policy that was removed', enter(all, removed, 'former')),
    denied('policy, key of nobody', enter(all, freshKey(), 'device')),
    denied('policy, device disabled', enter(all, primary, 'device', 'D-off')),
  ]
}

/** User names with passwords: 5 cases. */
export async function passwordCases(bench: IdentityBench): Promise<readonly Case[]> {
  for (const id of ['P1', 'P-off']) {
    await bench.addDevice(id, id === 'P1' ? 'active' : 'disabled')
    const passwordHash = await hashPassword(`secret of ${id}`)
    const credential = { kind: 'password', username: `user ${id}`, passwordHash } as const
    await bench.state.credentials.set([{ deviceId: id, credential }])
  }
  const plain = (username: string, password: string) => ({ clientId: 'any', username, password })
  return [
    allowed('right password', plain('user P1', 'secret of P1')),
    denied('wrong password', plain('user P1', 'secret of P2')),
    denied('unknown user', plain('user P9', 'secret of P1')),
    denied("another user's password", plain('user P1', 'secret of P-off')),
    denied('right password, disabled', plain('user P-off', 'secret of P-off')),
  ]
}

/** Client certificates: 14 cases. */
export async function certificateCases(bench: IdentityBench): Promise<readonly Case[]> {
  const { state, addDevice } = bench
  for (const id of ['T1', 'C1', 'C2']) await addDevice(id)
  const [first, second, stranger] = await Promise.all(['a', 'b', 'c'].map((cn) => certificate(cn)))
  const late = await certificate('d', { days: [-9, -1] })
  const lost = await certificate('e')
  const root = await certificate('Root', { isAuthority: true })
  const middle = await certificate('Middle', { isAuthority: true, issuer: root })
  const namesake = await certificate('Root', { isAuthority: true })
  const issued = (cn: string, issuer: typeof root) => certificate(cn, { issuer })
  if (first === undefined || second === undefined || stranger === undefined) throw new Error('none')
  const thumbs = (primary: typeof root, secondary: typeof root) =>
    state.credentials.set([
      {
        deviceId: 'T1',
        credential: {
          kind: 'x509_thumbprint',
          primaryThumbprint: namesOf(primary).sha1,
          secondaryThumbprint: namesOf(secondary).sha1,
        },
      },
    ])
  await thumbs(first, second)
  for (const [id, pair] of [
    ['T-late', late],
    ['T-lost', lost],
  ] as const) {
    await addDevice(id)
    const primaryThumbprint = namesOf(pair).sha1
    const credential = {
      kind: 'x509_thumbprint',
      primaryThumbprint,
      secondaryThumbprint: null,
    } as const
    await state.credentials.set([{ deviceId: id, credential }])
  }
  await state.credentials.set(
    ['C1', 'C2'].map((deviceId) => ({ deviceId, credential: { kind: 'x509_ca' } as const })),
  )
  await state.trust.addAuthority(root.cert)
  await state.trust.revoke(namesOf(lost).sha1, 'stolen')
  const c2 = await issued('C2', root)
  await state.trust.revoke(namesOf(c2).serial, 'stolen')
  const direct = await issued('C1', root)
  const below = await issued('C1', middle)
  const login = (clientId: string, pair?: typeof root): Login => ({
    clientId,
    username: hubName(clientId),
    ...(pair && { pair }),
  })
  return [
    allowed('first thumbprint', login('T1', first)),
    allowed('second thumbprint', login('T1', second)),
    allowed('authority', login('C1', direct)),
    allowed(
      'authority over an issuer',
      login('C1', { ...below, cert: `${below.cert}\n${middle.cert}` }),
    ),
    denied('certificate of nobody', login('T1', stranger)),
    denied("another device's thumbprint", login('C1', first)),
    denied('expired certificate', login('T-late', late)),
    denied('revoked by thumbprint', login('T-lost', lost)),
    denied('revoked by serial number', login('C2', c2)),
    denied('common name of another device', login('C2', direct)),
    denied('authority nobody registered', login('C1', await issued('C1', namesake))),
    denied('issuer not sent', login('C1', below)),
    denied('no certificate', login('C1')),
    denied('authority, but the device has keys', login('D1', await issued('D1', root))),
  ]
}
