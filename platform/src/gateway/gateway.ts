import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type {
  DeviceLog,
  DoorBooks,
  FleetDefinition,
  HubStores,
  IdentityDirectory,
  MethodCall,
  MethodOutcome,
  ProvisioningDirectory,
} from '../contracts/index.ts'
import { type BrokerSource, type BrokerSourceOptions, consumeBroker } from './broker-source.ts'
import { Counters, type Metric } from './counters.ts'
import { compileDecoder } from './decoder.ts'
import { DeviceClocks } from './device-clock.ts'
import { DuplicateWindow } from './duplicate-window.ts'
import type { GatewayCore, GatewayLogger } from './gateway-core.ts'
import { HubDesk } from './hub-desk.ts'
import { Intake } from './intake.ts'
import { defaultLimits, type GatewayLimits } from './limits.ts'
import { disconnectReason } from './mqtt-answers.ts'
import { listenMqtt, type MqttListener, type MqttListenOptions } from './mqtt-listener.ts'
import { MqttSession } from './mqtt-session.ts'
import { takeWebSockets } from './mqtt-websocket.ts'
import { PasswordCheck } from './password.ts'
import { Presence, type PresenceEvent } from './presence.ts'
import { Sessions } from './sessions.ts'
import { Throttle } from './throttle.ts'

/** What a gateway is made of. */
export type GatewayOptions = {
  readonly log: DeviceLog
  readonly directory: IdentityDirectory
  readonly fleet: FleetDefinition
  /** Names tokens may be signed for: the gateway's own and those of an imported hub, ING-5. */
  readonly hostNames: readonly string[]
  /** Twins, messages to devices, kept sessions; without them devices can only send. */
  readonly hub?: HubStores
  /** Lets devices register themselves; they are sent to the first of the host names. */
  readonly provisioning?: ProvisioningDirectory
  /** Epoch ms: the only trusted clock, it stamps every message. */
  readonly clock: () => number
  readonly limits?: Partial<GatewayLimits>
  /** Ids of what was stored before the start; default: none are known. */
  readonly duplicates?: DuplicateWindow
  /** The loss ledger; default: none is kept. */
  readonly books?: DoorBooks
  readonly logger?: GatewayLogger
}

/** The ingest server: MQTT here, HTTP through `ingestRoutes`. */
export type Gateway = {
  readonly listenMqtt: (options: MqttListenOptions) => Promise<MqttListener>
  /** MQTT over WebSocket on an HTTP or HTTPS server, at `/$iothub/websocket` and `/mqtt`. */
  readonly takeWebSockets: (server: Pick<Server, 'on' | 'off'>) => void
  /** An MQTT connection that comes another way than over a port of ours: a tunnel, a test. */
  readonly takeStream: (stream: Duplex) => void
  /** Takes telemetry from a broker that is there already, by a shared subscription. */
  readonly consumeBroker: (options: BrokerSourceOptions) => BrokerSource
  /** Calls a method of a device that is connected, or connects in time. */
  readonly callMethod: (deviceId: string, call: MethodCall) => Promise<MethodOutcome>
  /** Devices that come, leave, fall silent or report again; returns the way to stop it. */
  readonly onPresence: (listener: (event: PresenceEvent) => void) => () => void
  /** Offset and drift of the clocks of devices heard since the start. */
  readonly clocks: DeviceClocks
  /** Counters and gauges at this moment. */
  readonly metrics: () => readonly Metric[]
  /** Shared parts, for `ingestRoutes`. */
  readonly core: GatewayCore
  /**
   * Takes nothing more, stores and answers what was read, then ends all sessions. The log is the
   * caller's to close.
   */
  readonly close: () => Promise<void>
}

const sweepMs = 1_000
const forgetMs = 60_000
const silentLogger: GatewayLogger = { info: () => undefined, warn: () => undefined }

function newWindow(limits: GatewayLimits): DuplicateWindow {
  const { duplicateWindowMs: windowMs, maxRememberedMessages: maxIds } = limits
  return new DuplicateWindow({ windowMs, maxIds })
}

function makeCore(options: GatewayOptions): GatewayCore {
  const limits = { ...defaultLimits, ...options.limits }
  const counters = new Counters()
  const presence = new Presence()
  return {
    desk: {
      directory: options.directory,
      hostNames: new Set(options.hostNames.map((name) => name.toLowerCase())),
      passwords: new PasswordCheck(),
      tokenLeewayMs: limits.tokenLeewayMs,
    },
    decoder: compileDecoder(options.fleet),
    intake: new Intake(options.log, counters, {
      maxInFlightBytes: limits.maxInFlightBytes,
      window: options.duplicates ?? newWindow(limits),
      clock: options.clock,
      ...(options.books !== undefined && { books: options.books }),
    }),
    throttle: new Throttle(limits, counters, options.clock(), {
      books: options.books,
      tenantOf: (deviceId) => options.directory.device(deviceId)?.device.site_id,
    }),
    sessions: new Sessions(presence, options.clock),
    presence,
    clocks: new DeviceClocks(),
    hub: options.hub === undefined ? undefined : new HubDesk(options.hub),
    provisioning: options.provisioning,
    assignedHub: options.hostNames[0] ?? 'localhost',
    counters,
    limits,
    logger: options.logger ?? silentLogger,
    clock: options.clock,
  }
}

/** Opens a gateway on a log; it accepts nobody before `listenMqtt` or `ingestRoutes`. */
export function createGateway(options: GatewayOptions): Gateway {
  const core = makeCore(options)
  const { sessions, intake, throttle, counters, clock, hub } = core
  const webSockets: (() => void)[] = []
  const sources: BrokerSource[] = []
  const listeners: MqttListener[] = []
  const stopWatching = options.directory.onChange((deviceId) =>
    sessions.deviceChanged(deviceId, options.directory),
  )
  const stopTrust = options.directory.onTrustChange(() => sessions.trustChanged(options.directory))
  core.presence.onEvent(({ kind }) => counters.add('gateway_presence_events_total', 'kind', kind))
  const sweep = setInterval(() => {
    sessions.sweep(clock())
    core.presence.sweep(clock())
  }, sweepMs).unref()
  const forget = setInterval(() => throttle.forgetIdle(clock()), forgetMs).unref()
  return {
    core,
    listenMqtt: async (listenOptions) => {
      const listener = await listenMqtt(core, listenOptions)
      listeners.push(listener)
      return listener
    },
    takeWebSockets: (server) => {
      webSockets.push(takeWebSockets(core, server))
    },
    takeStream: (stream) => {
      new MqttSession(core, stream)
    },
    consumeBroker: (sourceOptions) => {
      const source = consumeBroker(core, sourceOptions)
      sources.push(source)
      return source
    },
    callMethod: async (deviceId, call) =>
      hub === undefined ? { kind: 'offline' } : hub.call(deviceId, call),
    clocks: core.clocks,
    onPresence: (listener) => core.presence.onEvent(listener),
    metrics: () => [
      ...counters.all(),
      { name: 'gateway_connections', labels: {}, value: sessions.connectionCount },
      { name: 'gateway_devices_online', labels: {}, value: core.presence.onlineCount },
      { name: 'gateway_devices_silent', labels: {}, value: core.presence.silentCount },
      { name: 'gateway_clocks_suspect', labels: {}, value: core.clocks.suspectCount },
      { name: 'gateway_sessions', labels: {}, value: sessions.sessionCount },
      { name: 'gateway_in_flight_bytes', labels: {}, value: intake.inFlightBytes },
      { name: 'gateway_log_stalled', labels: {}, value: intake.isStalled ? 1 : 0 },
    ],
    close: async () => {
      stopWatching()
      stopTrust()
      clearInterval(sweep)
      clearInterval(forget)
      for (const stop of webSockets) stop()
      hub?.close()
      const portsClosed = listeners.map((listener) => listener.close())
      for (const session of sessions.all()) session.stopReading()
      for (const source of sources) source.stopReading()
      await intake.drain()
      for (const source of sources) source.close()
      for (const session of sessions.all()) {
        session.close(disconnectReason.serverShuttingDown, 'gateway closed')
      }
      await Promise.all(portsClosed)
    },
  }
}
