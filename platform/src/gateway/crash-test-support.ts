import { openLog } from '../log/index.ts'
import { createGateway } from './gateway.ts'
import { MemoryDirectory } from './memory-directory.ts'
import { benchHost, benchKeys, noRates, testDevice, testFleet } from './test-support.ts'

/**
 * Started by the crash test in a process of its own: a gateway on a log with small segments, which
 * prints its port and serves until it is killed.
 */
const [directory = '', ...deviceIds] = process.argv.slice(2)
const log = openLog({ directory, clock: Date.now, tickMs: 1, segmentBytes: 100_000 })
const identities = new MemoryDirectory()
for (const deviceId of deviceIds) {
  identities.set({ device: testDevice(deviceId), credentials: [benchKeys] })
}
const gateway = createGateway({
  log,
  directory: identities,
  fleet: testFleet,
  hostNames: [benchHost],
  clock: Date.now,
  limits: noRates,
})
const { port } = await gateway.listenMqtt({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${port}\n`)
