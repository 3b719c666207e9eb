// The gateway of A9 and A13 in a process of its own:
// node --expose-gc gateway-server.ts FOLDER DEVICES KEY LIMITS
import { join } from 'node:path'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import { createGateway, type GatewayLimits, MemoryDirectory } from 'isotherm/gateway'
import { openLog } from 'isotherm/log'
import { generate } from 'selfsigned'

const [folder = '', deviceCount = '0', key = '', limits = '{}'] = process.argv.slice(2)
const [example] = refrigeration.simulator?.devices({ count: 1, seed: 1 }) ?? []
if (example === undefined) throw new Error('the refrigeration fleet has no simulator')
const log = openLog({ directory: join(folder, 'log'), clock: Date.now })
const directory = new MemoryDirectory()
for (let n = 0; n < Number(deviceCount); n++) {
  directory.set({
    device: { ...example, device_id: `LOAD-${n}` },
    credentials: [{ kind: 'sas', primaryKey: key, secondaryKey: key }],
  })
}
const gateway = createGateway({
  ...{ log, directory, fleet: refrigeration, hostNames: ['localhost'], clock: Date.now },
  limits: JSON.parse(limits) as Partial<GatewayLimits>,
})
const pair = await generate([{ name: 'commonName', value: 'localhost' }], {
  ...{ keyType: 'ec', curve: 'P-256', algorithm: 'sha256' },
})
const plain = await gateway.listenMqtt({ port: 0, host: '127.0.0.1' })
const tls = { cert: pair.cert, key: pair.private }
const secure = await gateway.listenMqtt({ port: 0, host: '127.0.0.1', tls })

process.on('message', () => {
  globalThis.gc?.()
  process.send?.({ stored: log.bounds(0).endOffset })
})
process.on('disconnect', () => {
  gateway
    .close()
    .then(() => log.close())
    .finally(() => process.exit(0))
})
process.send?.({ port: plain.port, tlsPort: secure.port })
