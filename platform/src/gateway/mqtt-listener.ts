import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { IsothermError } from '../contracts/index.ts'
import type { GatewayCore } from './gateway-core.ts'
import { MqttSession } from './mqtt-session.ts'

/** Certificate and key of the gateway, PEM. */
export type MqttTls = { readonly cert: string | Buffer; readonly key: string | Buffer }

/** Where MQTT clients connect. Without `tls` the traffic is readable: for development only. */
export type MqttListenOptions = {
  /** 0 takes any free port. */
  readonly port: number
  readonly host: string
  readonly tls?: MqttTls
}

/** An open MQTT port. */
export type MqttListener = {
  readonly port: number
  /** Takes no further connections; open ones stay. */
  readonly close: () => Promise<void>
}

const handshakeTimeoutMs = 10_000

/** Whether one more connection may come; a refusal is counted. */
export function hasRoom(core: GatewayCore): boolean {
  if (core.sessions.connectionCount < core.limits.maxConnections) return true
  core.counters.add('gateway_connects_total', 'result', 'too many')
  return false
}

function makeServer(core: GatewayCore, tls: MqttTls | undefined): Server {
  const accept = (socket: Socket): void => {
    if (hasRoom(core)) new MqttSession(core, socket)
    else socket.destroy()
  }
  if (tls === undefined) return createServer({ noDelay: true }, accept)
  const server = createTlsServer(
    {
      ...tls,
      minVersion: 'TLSv1.2',
      handshakeTimeout: handshakeTimeoutMs,
      noDelay: true,
      // Asked for, not required; admission judges it, because authorities come and go.
      requestCert: true,
      rejectUnauthorized: false,
    },
    accept,
  )
  server.on('tlsClientError', () => core.counters.add('gateway_connects_total', 'result', 'tls'))
  return server
}

/** @throws IsothermError PORT_IN_USE */
export function listenMqtt(core: GatewayCore, options: MqttListenOptions): Promise<MqttListener> {
  const server = makeServer(core, options.tls)
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const isTaken = cause.code === 'EADDRINUSE'
      reject(
        isTaken
          ? new IsothermError(
              'PORT_IN_USE',
              `MQTT port ${options.port} on ${options.host} is in use; stop the other program or ` +
                'choose another port',
              { cause },
            )
          : cause,
      )
    })
    server.listen(options.port, options.host, () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : options.port
      resolve({
        port,
        close: () => new Promise((done) => server.close(() => done())),
      })
    })
  })
}
