import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { generate } from 'mqtt-packet'
import { expect, it, onTestFinished } from 'vitest'
import { broker } from './broker.ts'
import { settings } from './diagnosis-test-support.ts'

async function listening(answer: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.once('data', () => answer(socket))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const judge = (port: number) =>
  broker(settings({ broker: { host: '127.0.0.1', port, clientId: 'c', topic: 'plant/{device}' } }))

const connack = (reasonCode: number) =>
  generate({ cmd: 'connack', reasonCode, sessionPresent: false }, { protocolVersion: 5 })

it('tells a broker that lets us in from one that does not', async () => {
  const open = await listening((socket) => socket.write(connack(0)))
  expect(await judge(open)).toMatchObject([{ state: 'ok', found: 'connected' }])
  const strict = await listening((socket) => socket.write(connack(135)))
  expect(await judge(strict)).toMatchObject([{ state: 'failed', found: 'not authorised' }])
})

it('says that nobody is there, or something else', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  server.close()
  await once(server, 'close')
  const [gone] = await judge(port)
  expect(gone?.state).toBe('failed')
  expect(gone?.found).toContain('ECONNREFUSED')
  const web = await listening((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  expect(await judge(web)).toMatchObject([{ state: 'failed' }])
  expect(await broker(settings({}))).toEqual([])
})
