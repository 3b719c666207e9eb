import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { generate, parser } from 'mqtt-packet'
import type { BrokerSourceOptions } from '../../gateway/index.ts'
import { type Check, finding } from './finding.ts'

const patienceMs = 3_000

/** Return codes of CONNACK that tell what to do [MQTT5-3.2.2.2]. */
const refusals: Readonly<Record<number, string>> = {
  132: 'it does not speak MQTT 5',
  134: 'wrong user name or password',
  135: 'not authorised',
  138: 'banned',
}

type Answer = { readonly kind: 'in' } | { readonly kind: 'out'; readonly reason: string }

/** Says CONNECT under a name of its own, so that a running consumer is not thrown out. */
function knock(options: BrokerSourceOptions): Promise<Answer> {
  const { host, port, tls, username, password } = options
  const socket =
    tls === undefined
      ? connectTcp({ host, port })
      : connectTls({ host, port, servername: host, ...(tls.ca !== undefined && { ca: tls.ca }) })
  return new Promise((done) => {
    const end = (answer: Answer) => {
      clearTimeout(timer)
      socket.destroy()
      done(answer)
    }
    const timer = setTimeout(end, patienceMs, { kind: 'out', reason: 'no answer' })
    socket.on('error', (error) => {
      const code = 'code' in error ? String(error.code) : ''
      end({ kind: 'out', reason: code === '' ? error.message : `${code}: ${error.message}` })
    })
    socket.on('close', () => end({ kind: 'out', reason: 'it closed the connection' }))
    const reading = parser({ protocolVersion: 5 })
    reading.on('packet', (packet) => {
      if (packet.cmd !== 'connack') return
      const code = packet.reasonCode ?? packet.returnCode ?? 0
      if (code === 0) return end({ kind: 'in' })
      end({ kind: 'out', reason: refusals[code] ?? `refused with reason code ${code}` })
    })
    reading.on('error', () => end({ kind: 'out', reason: 'it does not speak MQTT' }))
    socket.on('data', (bytes: Buffer) => reading.parse(bytes))
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      socket.write(
        generate({
          cmd: 'connect',
          protocolId: 'MQTT',
          protocolVersion: 5,
          clientId: `isotherm-doctor-${process.pid}`,
          clean: true,
          keepalive: 10,
          ...(username !== undefined && { username }),
          ...(password !== undefined && { password: Buffer.from(password) }),
        }),
      )
    })
  })
}

/** The broker telemetry is taken from: reachable, speaks MQTT 5, lets us in. */
export const broker: Check = async ({ broker: options }) => {
  if (options === undefined) return []
  const where = `${options.tls === undefined ? 'mqtt' : 'mqtts'}://${options.host}:${options.port}`
  const answer = await knock(options)
  return [
    finding('broker', {
      state: answer.kind === 'in' ? 'ok' : 'failed',
      where,
      expected: 'an MQTT 5 broker that lets us in',
      found: answer.kind === 'in' ? 'connected' : answer.reason,
      advice: 'check --broker, its user and ISOTHERM_BROKER_PASSWORD, firewall and certificate',
    }),
  ]
}
