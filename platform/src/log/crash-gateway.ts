import { createGateway, MemoryDirectory } from '../gateway/index.ts'
import { benchDevice, benchFleet, benchHost, benchKeys, noRates } from './ingest-fixture.ts'
import { openLog } from './log.ts'

/**
 * Started by the crash test in a process of its own: a gateway on a log with small segments, which
 * prints its port and serves until it is killed.
 */
const [directory = '', ...deviceIds] = process.argv.slice(2)
const log = openLog({ directory, clock: Date.now, tickMs: 1, segmentBytes: 100_000 })
const identities = new MemoryDirectory()
for (const deviceId of deviceIds) {
  identities.set({ device: benchDevice(deviceId), credentials: [benchKeys] })
}
const gateway = createGateway({
  log,
  directory: identities,
  fleet: benchFleet,
  hostNames: [benchHost],
  clock: Date.now,
  limits: noRates,
})
const { port } = await gateway.listenMqtt({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${port}\n`)
