import Fastify from 'fastify'
import { ingestRoutes } from 'isotherm/gateway'
import type { MqttClient } from 'mqtt'
import {
  certificate,
  freshKey,
  type IdentityBench,
  namesOf,
  openIdentityBench,
  ownHost,
  token,
} from './identity/bench.ts'
import { certificateCases, passwordCases, policyCases, tokenCases } from './identity/cases.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const closeLimitMs = 5_000

/** Milliseconds until the gateway ends a session after something was done. */
async function msUntilClosed(client: MqttClient, act: () => Promise<unknown>): Promise<number> {
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
  const start = performance.now()
  await act()
  const limit = new Promise<void>((resolve) => setTimeout(resolve, 2 * closeLimitMs))
  await Promise.race([closed, limit])
  return performance.now() - start
}

/** What ends an open session: a revoked certificate, a removed authority, a key, the status. */
async function closings(bench: IdentityBench): Promise<Readonly<Record<string, number>>> {
  const { state, addDevice, enter } = bench
  const root = await certificate('Second root', { isAuthority: true })
  const { thumbprint } = await state.trust.addAuthority(root.cert)
  const open = async (id: string) => {
    await addDevice(id)
    await state.credentials.set([{ deviceId: id, credential: { kind: 'x509_ca' } }])
    const pair = await certificate(id, { issuer: root })
    const client = await enter({ clientId: id, pair })
    if (client === undefined) throw new Error(`${id} was not let in`)
    return { client, pair }
  }
  const one = await open('R1')
  const two = await open('R2')
  const three = await open('R3')
  const key = freshKey()
  const credential = { kind: 'sas', primaryKey: key, secondaryKey: key } as const
  await addDevice('R4')
  await state.credentials.set([{ deviceId: 'R4', credential }])
  const password = token(encodeURIComponent(`${ownHost}/devices/R4`), key)
  const four = await enter({ clientId: 'R4', username: `${ownHost}/R4/?api-version=1`, password })
  if (four === undefined) throw new Error('R4 was not let in')
  const { serial } = namesOf(one.pair)
  return {
    revoked: await msUntilClosed(one.client, () => state.trust.revoke(serial, 'stolen')),
    disabled: await msUntilClosed(two.client, () => addDevice('R2', 'disabled')),
    keyReplaced: await msUntilClosed(four, () => state.credentials.revoke('R4')),
    authorityRemoved: await msUntilClosed(three.client, () =>
      state.trust.removeAuthority(thumbprint),
    ),
  }
}

/** The same tokens over HTTPS: the answer is 204 or 401. */
async function wrongOverHttp(bench: IdentityBench): Promise<readonly string[]> {
  const app = Fastify()
  ingestRoutes(app, bench.gateway)
  const wrong: string[] = []
  for (const { name, login, isIn } of await tokenCases(bench)) {
    const { clientId, username = '', password = '' } = login
    // What is wrong with the CONNECT alone has no counterpart in a request.
    if (!username.startsWith(`${ownHost}/${clientId}`) && !isIn) continue
    const { statusCode } = await app.inject({
      method: 'POST',
      url: `/devices/${clientId}/messages/events`,
      headers: { authorization: password },
      payload: '{}',
    })
    if (statusCode !== (isIn ? 204 : 401)) wrong.push(`HTTPS, ${name}: ${statusCode}`)
  }
  await app.close()
  return wrong
}

/** Every way to present a credential, over MQTT with TLS and over HTTP. */
export const promised: Promised = {
  id: 'A3',
  title: 'credentials: tampered, expired, revoked, of others, for others; rolled over, aliased',
  unit: 'wrong verdicts',
  bar: '0 of at least 60 cases; what is revoked closes its session within 5 s',
  quick: true,
  limitSeconds: 120,
  run: async (report) => {
    const folder = temporaryFolder('a3')
    const bench = await openIdentityBench(folder.path)
    try {
      const wrong: string[] = []
      let caseCount = 0
      for (const make of [tokenCases, policyCases, passwordCases, certificateCases]) {
        const cases = await make(bench)
        caseCount += cases.length
        for (const { name, login, isIn } of cases) {
          const client = await bench.enter(login)
          if ((client !== undefined) !== isIn) wrong.push(name)
          await client?.endAsync(true)
        }
      }
      wrong.push(...(await wrongOverHttp(bench)))
      for (const name of wrong) report(`wrong verdict: ${name}`)
      const closedAfterMs = await closings(bench)
      const isSwift = Object.values(closedAfterMs).every((ms) => ms <= closeLimitMs)
      return {
        ok: wrong.length === 0 && caseCount >= 60 && isSwift,
        value: wrong.length,
        detail: { caseCount, wrong, closedAfterMs },
      }
    } finally {
      await bench.close()
      folder.remove()
    }
  },
}
