import { type Command, Option } from 'commander'
import { IsothermError } from '../../contracts/index.ts'
import { readServerMarker, type ServerMarker } from '../../runtime/index.ts'
import { callServer } from '../call-server.ts'
import { countOf, numberOf } from '../option-values.ts'
import { type CommonOptions, command } from '../program.ts'

type SendOptions = CommonOptions & {
  readonly property: readonly string[]
  readonly messageId?: string
  readonly ack?: string
  readonly ttl?: string
}

type TwinOptions = CommonOptions & {
  readonly desired?: string
  readonly tags?: string
  readonly replace?: boolean
  readonly ifMatch?: string
}

type CallOptions = CommonOptions & {
  readonly payload?: string
  readonly timeout: string
  readonly wait: string
}

type Fields = Readonly<Record<string, unknown>>

/** The server of a folder: devices are connected to it, and it owns their queues. */
function serverOf(data: string): ServerMarker {
  const server = readServerMarker(data)
  if (server !== undefined) return server
  throw new IsothermError(
    'NOT_FOUND',
    `no server runs on ${data}, and only a running one reaches devices; start isotherm up`,
  )
}

const pathOf = (deviceId: string, what: string) =>
  `/api/v1/devices/${encodeURIComponent(deviceId)}/${what}`

function jsonOf(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new IsothermError('INPUT_INVALID', `--${name} ${text}: expected JSON`, { cause })
  }
}

function propertiesOf(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)] as const
      throw new IsothermError('INPUT_INVALID', `--property ${pair}: expected NAME=VALUE`)
    }),
  )
}

function addSend(devices: Command): void {
  command<SendOptions>(
    devices,
    'send <device> <text>',
    'queue a message to a device',
    [
      new Option('--property <pairs...>', 'application properties, NAME=VALUE').default([]),
      new Option('--message-id <id>', 'default: a new one'),
      new Option('--ack <wish>', 'feedback wanted').choices([
        'none',
        'positive',
        'negative',
        'full',
      ]),
      new Option('--ttl <seconds>', 'seconds until it expires; default 3600'),
    ],
    async (options, output, [deviceId = '', text = '']) => {
      const { messageId, ack, ttl } = options
      const queued = await callServer<Fields>(serverOf(options.data), {
        path: pathOf(deviceId, 'messages'),
        body: {
          body: text,
          properties: propertiesOf(options.property),
          ...(messageId !== undefined && { message_id: messageId }),
          ...(ack !== undefined && { ack }),
          ...(ttl !== undefined && { time_to_live_s: numberOf(ttl, 'ttl', 60) }),
        },
      })
      output.records([queued])
    },
  )
}

function addTwin(devices: Command): void {
  command<TwinOptions>(
    devices,
    'twin <device>',
    'show the twin of a device, or change it',
    [
      new Option('--desired <json>', 'desired properties to merge; null deletes'),
      new Option('--tags <json>', 'tags to merge; null deletes'),
      new Option('--replace', 'what is given takes the place of what was there'),
      new Option('--if-match <etag>', 'only if the twin still has this ETag'),
    ],
    async (options, output, [deviceId = '']) => {
      const { desired, tags, ifMatch } = options
      const server = serverOf(options.data)
      const path = pathOf(deviceId, 'twin')
      if (desired === undefined && tags === undefined) {
        output.records([await callServer<Fields>(server, { path })])
        return
      }
      const twin = await callServer<Fields>(server, {
        path,
        method: options.replace === true ? 'PUT' : 'PATCH',
        ...(ifMatch !== undefined && { ifMatch }),
        body: {
          ...(desired !== undefined && { properties: { desired: jsonOf(desired, 'desired') } }),
          ...(tags !== undefined && { tags: jsonOf(tags, 'tags') }),
        },
      })
      output.records([twin])
    },
  )
}

function addCall(devices: Command): void {
  command<CallOptions>(
    devices,
    'call <device> <method>',
    'call a method of a connected device and print its answer',
    [
      new Option('--payload <json>', 'JSON handed to the method'),
      new Option('--timeout <seconds>', 'how long to wait for the answer').default('30'),
      new Option('--wait <seconds>', 'how long to wait for the device to connect').default('0'),
    ],
    async (options, output, [deviceId = '', methodName = '']) => {
      const { payload } = options
      const answer = await callServer<Fields>(serverOf(options.data), {
        path: pathOf(deviceId, 'methods'),
        body: {
          methodName,
          responseTimeoutInSeconds: numberOf(options.timeout, 'timeout', 1),
          connectTimeoutInSeconds: numberOf(options.wait, 'wait', 0),
          ...(payload !== undefined && { payload: jsonOf(payload, 'payload') }),
        },
      })
      output.records([answer])
    },
  )
}

type CommandRow = {
  readonly asked_at: string
  readonly by: string
  readonly command: string
  readonly result: string
  readonly parameters: Fields
  readonly answer: Fields
  readonly reason: string | null
}

function addCommands(devices: Command): void {
  command<CommonOptions & { readonly limit: string }>(
    devices,
    'commands <device>',
    'who told a device to do what, and what came of it, newest first',
    [new Option('--limit <number>', 'at most so many').default('50')],
    async (options, output, [deviceId = '']) => {
      const path = `${pathOf(deviceId, 'commands')}?limit=${countOf(options.limit, 'limit', 1)}`
      const found = await callServer<{ readonly commands: readonly CommandRow[] }>(
        serverOf(options.data),
        { path },
      )
      if (output.isJson) return output.records(found.commands)
      output.records(
        found.commands.map(({ asked_at: at, by, command: what, result, parameters, reason }) => ({
          at,
          by,
          command: what,
          result,
          details: reason ?? JSON.stringify(parameters).slice(0, 80),
        })),
      )
    },
  )
}

function addPresence(devices: Command): void {
  command<CommonOptions & { readonly limit: string }>(
    devices,
    'presence [device]',
    'whether a device is connected and reports, or what changed lately in the fleet',
    [new Option('--limit <number>', 'at most so many changes').default('50')],
    async (options, output, [deviceId = '']) => {
      const server = serverOf(options.data)
      if (deviceId !== '' && deviceId !== 'undefined') {
        output.records([await callServer<Fields>(server, { path: pathOf(deviceId, 'presence') })])
        return
      }
      const path = `/api/v1/presence?limit=${countOf(options.limit, 'limit', 1)}`
      const found = await callServer<{
        readonly connected: number
        readonly silent: number
        readonly events: readonly Fields[]
      }>(server, { path })
      if (output.isJson) return output.records([found])
      output.line(`${found.connected} connected, ${found.silent} silent`)
      output.records(found.events)
    },
  )
}

/** `isotherm devices send|twin|call|commands|presence`: a running server and its devices. */
export function addDeviceHub(devices: Command): void {
  addSend(devices)
  addTwin(devices)
  addCall(devices)
  addCommands(devices)
  addPresence(devices)
}
