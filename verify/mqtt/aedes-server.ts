// aedes as it comes, acknowledging at once: node aedes-server.ts
import { createRequire } from 'node:module'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'

type Broker = { readonly handle: (socket: Socket) => void }
type Module = { readonly Aedes: { readonly createBroker: () => Promise<Broker> } }

const require = createRequire(join(import.meta.dirname, '..', '..', 'referees', 'package.json'))
const { Aedes } = require('aedes') as Module
const broker = await Aedes.createBroker()
const server = createServer({ noDelay: true }, broker.handle)
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' ? address?.port : 0, tlsPort: 0 })
})
process.on('disconnect', () => process.exit(0))
