import { createSocket } from 'node:dgram'
import { utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { clock } from './clock.ts'
import { settings, temporaryFolder } from './diagnosis-test-support.ts'

/** An NTP server whose clock is off by so much. */
async function ntpServer(offsetMs: number, stratum = 2): Promise<string> {
  const socket = createSocket('udp4')
  socket.on('message', (_request, from) => {
    const answer = Buffer.alloc(48)
    answer[0] = 0x24
    answer[1] = stratum
    const seconds = (Date.now() + offsetMs) / 1_000 + 2_208_988_800
    answer.writeUInt32BE(Math.floor(seconds), 40)
    answer.writeUInt32BE(Math.floor((seconds % 1) * 2 ** 32), 44)
    socket.send(answer, from.port, from.address)
  })
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done))
  onTestFinished(() => void socket.close())
  return `127.0.0.1:${socket.address().port}`
}

describe('the clock', () => {
  it('is wrong when a file of the folder is from the future', async () => {
    const dataDirectory = temporaryFolder()
    const path = join(dataDirectory, 'state.db')
    writeFileSync(path, '')
    utimesSync(path, Date.now() / 1_000 + 3_600, Date.now() / 1_000 + 3_600)
    const [found] = await clock(settings({ dataDirectory }))
    expect(found).toMatchObject({ state: 'failed', where: path })
    expect(found?.found).toMatch(/^stored data is 3(599|600) s ahead/)
  })

  it('is wrong ten minutes away from an NTP server, and right beside one', async () => {
    const ahead = await clock(settings({ timeServer: await ntpServer(-600_000) }))
    expect(ahead.at(-1)).toMatchObject({ state: 'failed', found: 'this clock is 600.0 s ahead' })
    const behind = await clock(settings({ timeServer: await ntpServer(10_000) }))
    expect(behind.at(-1)).toMatchObject({ state: 'warning', found: 'this clock is 10.0 s behind' })
    const right = await clock(settings({ timeServer: await ntpServer(0) }))
    expect(right.map(({ state }) => state)).toEqual(['ok', 'ok'])
  })

  it('reads the Date header of a URL', async () => {
    const server = createServer((_request, response) => {
      response.setHeader('date', new Date(Date.now() + 7_200_000).toUTCString()).end()
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const findings = await clock(settings({ timeServer: `http://127.0.0.1:${port}/` }))
    expect(findings.at(-1)?.state).toBe('failed')
    expect(findings.at(-1)?.found).toMatch(/^this clock is 7(199|200)\.\d s behind$/)
  })

  it('is not blamed when nobody answers, or the server refuses to tell', async () => {
    for (const timeServer of ['127.0.0.1:9', 'http://127.0.0.1:9/', await ntpServer(0, 0)]) {
      const findings = await clock(settings({ timeServer }))
      expect(findings.map(({ state }) => state)).toEqual(['ok', 'ok'])
      expect(findings.at(-1)?.found).toContain('no answer')
    }
  })
})
