import { request } from 'node:https'
import { TLSSocket } from 'node:tls'
import { generate } from 'selfsigned'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryServer } from './test-support.ts'

const pairOf = async (commonName: string) => {
  const made = await generate([{ name: 'commonName', value: commonName }], {
    ...{ keyType: 'ec', curve: 'P-256', algorithm: 'sha256' },
  })
  return { cert: made.cert, key: made.private }
}

test('over HTTPS a client may show a certificate, which its routes see, or none', async () => {
  const web = await temporaryServer({
    tls: await pairOf('localhost'),
    ingestRoutes: (app) => {
      app.get('/who', async ({ raw }) => {
        const { socket } = raw
        const subject =
          socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.subject : undefined
        return { subject: subject ?? 'nobody' }
      })
    },
  })
  onTestFinished(() => web.remove())
  const address = new URL(await web.server.listen({ host: '127.0.0.1', port: 0 }))
  const ask = (pair: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const options = { ...pair, rejectUnauthorized: false, agent: false }
      request(new URL('/who', address), options, (answer) => {
        answer.on('data', (bytes: Buffer) => resolve(JSON.parse(bytes.toString())))
      })
        .on('error', reject)
        .end()
    })
  expect(await ask({})).toEqual({ subject: 'nobody' })
  expect(await ask(await pairOf('REF-1'))).toEqual({ subject: 'CN=REF-1' })
})
