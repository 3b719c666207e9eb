// aedes as a broker of A13: node aedes-server.ts [FILE]
// With a file it keeps the gateway's promise: what it acknowledges has been appended and synced, in
// groups of 5 ms as the gateway's log does it. Without one it acknowledges at once.
import { fdatasync, openSync, write } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

type Packet = { readonly payload: Buffer }
/** Holds the PUBACK until it is called. */
type Done = (error: Error | null) => void
type Broker = {
  readonly handle: (socket: Socket) => void
  authorizePublish: (client: unknown, packet: Packet, done: Done) => void
}
type Module = { readonly Aedes: { readonly createBroker: () => Promise<Broker> } }

const groupMs = 5
const writeAll = promisify(write)
const sync = promisify(fdatasync)
const require = createRequire(join(import.meta.dirname, '..', '..', 'referees', 'package.json'))
const { Aedes } = require('aedes') as Module
const broker = await Aedes.createBroker()

function keepDurable(path: string): void {
  const file = openSync(path, 'w')
  let payloads: Buffer[] = []
  let waiting: Done[] = []
  let isBusy = false
  const commit = async () => {
    isBusy = true
    while (payloads.length > 0) {
      const answered = waiting
      const bytes = Buffer.concat(payloads)
      payloads = []
      waiting = []
      await writeAll(file, bytes, 0, bytes.length, null)
      await sync(file)
      for (const done of answered) done(null)
      await new Promise((resolve) => setTimeout(resolve, groupMs))
    }
    isBusy = false
  }
  broker.authorizePublish = (_client, packet, done) => {
    payloads.push(packet.payload)
    waiting.push(done)
    if (!isBusy) setTimeout(() => !isBusy && commit(), groupMs)
  }
}

const [path] = process.argv.slice(2)
if (path !== undefined) keepDurable(path)
const server = createServer({ noDelay: true }, broker.handle)
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' ? address?.port : 0, tlsPort: 0 })
})
process.on('disconnect', () => process.exit(0))
