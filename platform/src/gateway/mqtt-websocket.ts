import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws'
import { carriedBy } from './client-certificate.ts'
import type { GatewayCore } from './gateway-core.ts'
import { hasRoom } from './mqtt-listener.ts'
import { MqttSession } from './mqtt-session.ts'

/** The path device SDKs use, and the one plain clients expect. */
const paths = new Set(['/$iothub/websocket', '/mqtt'])
const subProtocol = 'mqtt'
/** One frame may hold several packets; no client sends more than its packet limit at once. */
const maxFrameBytes = 1 << 20
const outgoingBytes = 16_384

function pathOf(url: string): string | undefined {
  try {
    return decodeURIComponent(url.split('?')[0] ?? '')
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

function refusalOf(
  core: GatewayCore,
  request: IncomingMessage,
  offered: readonly string[],
): string | undefined {
  if (!paths.has(pathOf(request.url ?? '') ?? '')) return '404 Not Found'
  if (!offered.includes(subProtocol)) return '400 Bad Request'
  return hasRoom(core) ? undefined : '503 Service Unavailable'
}

function openSession(core: GatewayCore, client: WebSocket, socket: Duplex): void {
  // [MQTT-6.0.0-1] packets are sent in binary frames, anything else ends the connection.
  client.on('message', (_data, isBinary) => {
    if (!isBinary) client.terminate()
  })
  const stream = createWebSocketStream(client, { writableHighWaterMark: outgoingBytes })
  // The stream does not close by itself when only the peer has ended.
  stream.on('end', () => stream.destroy())
  carriedBy(stream, socket)
  new MqttSession(core, stream)
}

/**
 * Takes MQTT over WebSocket [MQTT-6] on the upgrades of an HTTP or HTTPS server, at
 * `/$iothub/websocket` and `/mqtt`; other upgrades are refused. Returns the way to stop it.
 */
export function takeWebSockets(core: GatewayCore, server: Pick<Server, 'on' | 'off'>): () => void {
  const acceptor = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    handleProtocols: (offered) => (offered.has(subProtocol) ? subProtocol : false),
  })
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/)
    // Until the handshake is done a reset has no other listener; nothing is lost by it.
    socket.on('error', () => socket.destroy())
    const refusal = refusalOf(core, request, offered)
    if (refusal !== undefined) refuse(socket, refusal)
    else
      acceptor.handleUpgrade(request, socket, head, (client) => openSession(core, client, socket))
  }
  server.on('upgrade', upgrade)
  return () => server.off('upgrade', upgrade)
}
