import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import { createGateway, MemoryDirectory } from 'isotherm/gateway'
import { openLog } from 'isotherm/log'
import type { Bench } from './bench.ts'

const connectionCount = 5_000
const perConnection = 40
const key = Buffer.alloc(32, 7).toString('base64')

/** What the load generator is told and what it answers. */
export type LoadOrder =
  | {
      readonly kind: 'connect'
      readonly port: number
      readonly key: string
      readonly count: number
    }
  | { readonly kind: 'publish'; readonly perConnection: number }

export const bench: Bench = {
  title: 'durable QoS 1 messages over MQTT 3.1.1, gateway and load generator in a process each',
  size: `${connectionCount} connections, ${perConnection} messages of about 400 bytes each`,
  unit: 'messages',
  rounds: 5,
  prepare: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isotherm-bench-'))
    const log = openLog({ directory: join(folder, 'log'), clock: Date.now })
    const directory = new MemoryDirectory()
    const { simulator } = refrigeration
    const [example] = simulator?.devices({ count: 1, seed: 1 }) ?? []
    if (example === undefined) throw new Error('the refrigeration fleet has no simulator')
    for (let n = 0; n < connectionCount; n++) {
      directory.set({
        device: { ...example, device_id: `LOAD-${n}` },
        credentials: [{ kind: 'sas', primaryKey: key, secondaryKey: key }],
      })
    }
    const gateway = createGateway({
      ...{ log, directory, fleet: refrigeration, hostNames: ['localhost'], clock: Date.now },
      limits: {
        ...{ deviceMessagesPerSecond: 1e6, deviceBurst: 1e6, connectionsPerSecond: 1e6 },
        ...{ deploymentMessagesPerSecond: 1e9, deploymentBurst: 1e9, connectTimeoutMs: 60_000 },
      },
    })
    const listener = await gateway.listenMqtt({ port: 0, host: '127.0.0.1' })
    const load = fork(join(import.meta.dirname, 'mqtt-load.ts'))
    const tell = (order: LoadOrder) =>
      new Promise<void>((resolve, reject) => {
        load.once('message', () => resolve())
        load.once('exit', (code) => reject(new Error(`the load generator ended with ${code}`)))
        load.send(order)
      })
    await tell({ kind: 'connect', port: listener.port, key, count: connectionCount })
    return {
      cases: [
        {
          name: 'publish to acknowledgement',
          units: connectionCount * perConnection,
          run: () => tell({ kind: 'publish', perConnection }),
        },
      ],
      close: async () => {
        load.removeAllListeners('exit')
        load.kill()
        await gateway.close()
        await listener.close()
        await log.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
}
