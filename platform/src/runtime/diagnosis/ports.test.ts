import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { settings } from './diagnosis-test-support.ts'
import { ports } from './ports.ts'

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

it('names the process that has a port', async () => {
  const port = await takenPort()
  const [found] = await ports(settings({ ports: [port, 0] }))
  expect(found).toMatchObject({ state: 'failed', where: `127.0.0.1:${port}` })
  expect(found?.found).toContain(`(${process.pid})`)
})

it('does not blame the server that owns the folder', async () => {
  const port = await takenPort()
  const [found] = await ports(settings({ ports: [port], serverProcessId: process.pid }))
  expect(found).toMatchObject({ state: 'ok' })
})

it('says when an address is not of this machine', async () => {
  const [found] = await ports(settings({ host: '192.0.2.1', ports: [8883] }))
  expect(found).toMatchObject({ state: 'failed', found: 'EADDRNOTAVAIL' })
})
