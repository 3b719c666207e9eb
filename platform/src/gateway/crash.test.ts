import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { expect, test } from 'vitest'
import { openLog } from '../log/index.ts'
import { benchMessage, hubLogin, recordsOf } from './test-support.ts'

const deviceIds = ['REF-1', 'REF-2', 'REF-3', 'REF-4']

async function startGateway(directory: string) {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'crash-test-support.ts'), directory, ...deviceIds],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const exited = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once('exit', (_code, signal) => resolve(signal)),
  )
  const port = await new Promise<number>((resolve) =>
    child.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString()))),
  )
  return { child, port, exited }
}

/** Every device publishes as fast as its window allows; calls back with what was acknowledged. */
async function publishFrom(
  port: number,
  first: () => number,
  acknowledged: (messageId: string) => void,
): Promise<() => void> {
  const clients = await Promise.all(
    deviceIds.map(async (deviceId) => {
      const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
        ...hubLogin(deviceId),
        reconnectPeriod: 0,
      })
      // The connection breaks when the gateway is killed: that is the test.
      client.on('error', () => undefined)
      return { client, deviceId }
    }),
  )
  const publishNext = ({ client, deviceId }: (typeof clients)[number]): void => {
    const n = first()
    const topic = `devices/${deviceId}/messages/events/%24.mid=m-${n}`
    client.publish(topic, benchMessage(deviceId, n), { qos: 1 }, (error) => {
      if (error) return
      acknowledged(`m-${n}`)
      publishNext({ client, deviceId })
    })
  }
  for (const client of clients) for (let i = 0; i < 8; i++) publishNext(client)
  return () => {
    for (const { client } of clients) client.end(true)
  }
}

test('kill -9 at any moment loses nothing acknowledged and stores nothing twice', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'isotherm-crash-'))
  const acknowledged = new Set<string>()
  let sent = 0
  for (let kill = 0; kill < 12; kill++) {
    const { child, port, exited } = await startGateway(directory)
    const stop = await publishFrom(
      port,
      () => sent++,
      (messageId) => acknowledged.add(messageId),
    )
    await new Promise((resolve) => setTimeout(resolve, 60 + ((kill * 37) % 150)))
    child.kill('SIGKILL')
    expect(await exited).toBe('SIGKILL')
    stop()
    const log = openLog({ directory, clock: Date.now })
    const records = await recordsOf(log)
    await log.close()
    const stored = records.map(({ messageId }) => messageId ?? '')
    const storedOnce = new Set(stored)
    expect(stored.length).toBe(storedOnce.size)
    expect([...acknowledged].filter((messageId) => !storedOnce.has(messageId))).toEqual([])
    expect(records.map(({ offset }) => offset)).toEqual(records.map((_, i) => i))
  }
  expect(acknowledged.size).toBeGreaterThan(200)
  rmSync(directory, { recursive: true, force: true })
}, 60_000)
