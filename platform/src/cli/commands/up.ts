import { type Command, Option } from 'commander'
import { IsothermError } from '../../contracts/index.ts'
import { type BrokerCommandOptions, brokerOptions, parseBroker } from '../broker-options.ts'
import { countOf, numberOf, threadsOf } from '../option-values.ts'
import { type CommonOptions, command, withNewDeployment } from '../program.ts'
import { type ServeOptions, serve } from '../serve.ts'

type UpOptions = CommonOptions &
  BrokerCommandOptions & {
    readonly host: string
    readonly port: string
    readonly mqttPort: string
    readonly mqttsPort: string
    readonly hostName: readonly string[]
    readonly commitSeconds: string
    readonly tlsCert?: string
    readonly tlsKey?: string
    readonly deviceRate?: string
    readonly deviceBurst?: string
    readonly tenantRate?: string
    readonly totalRate?: string
    readonly logLevel: string
    readonly threads?: string
  }

/** Options of a listening server, shared by `up` and `demo`. */
export function serverOptions(defaults: { readonly commitSeconds: number }): readonly Option[] {
  return [
    new Option('--host <address>', 'address to listen on').default('127.0.0.1'),
    new Option('--port <number>', 'port of API and console').default('8080'),
    new Option('--mqtt-port <number>', 'plain MQTT for development, 0 for none').default('1883'),
    new Option('--mqtts-port <number>', 'MQTT over TLS, 0 for none').default('8883'),
    new Option('--host-name <names...>', 'names devices connect to').default([
      'localhost',
      '127.0.0.1',
    ]),
    new Option('--commit-seconds <seconds>', 'seconds between pipeline runs').default(
      String(defaults.commitSeconds),
    ),
    new Option('--tls-cert <file>', 'PEM certificate; default: one of our own'),
    new Option('--tls-key <file>', 'PEM key of the certificate'),
    new Option('--device-rate <number>', 'messages a second that one device may send'),
    new Option('--device-burst <number>', 'messages one device may send at once'),
    new Option('--tenant-rate <number>', 'messages a second of all devices of one site'),
    new Option('--total-rate <number>', 'messages a second of all devices together'),
    ...brokerOptions,
    new Option('--log-level <level>', 'pino level').default('warn'),
    new Option('--threads <number>', 'threads of SQL engine and scoring'),
  ]
}

function portOf(text: string, name: string): number {
  const port = countOf(text, name, 0)
  if (port <= 65_535) return port
  throw new IsothermError('INPUT_INVALID', `--${name} ${text}: expected a port up to 65535`)
}

/** Parses the options of a listening server. */
export function parseServerOptions(
  options: UpOptions,
): ServeOptions & { readonly threads?: number } {
  const { tlsCert, tlsKey, deviceRate, deviceBurst, tenantRate, totalRate, threads } = options
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new IsothermError('INPUT_INVALID', 'give --tls-cert and --tls-key together')
  }
  const broker = parseBroker(options)
  return {
    host: options.host,
    port: portOf(options.port, 'port'),
    mqttPort: portOf(options.mqttPort, 'mqtt-port'),
    mqttsPort: portOf(options.mqttsPort, 'mqtts-port'),
    hostNames: options.hostName,
    commitSeconds: numberOf(options.commitSeconds, 'commit-seconds', 0.1),
    logLevel: options.logLevel,
    ...(broker !== undefined && { broker }),
    ...(tlsCert !== undefined && { tlsCertificate: tlsCert }),
    ...(tlsKey !== undefined && { tlsKey }),
    ...(deviceRate !== undefined && { deviceRate: numberOf(deviceRate, 'device-rate', 0.001) }),
    ...(deviceBurst !== undefined && { deviceBurst: numberOf(deviceBurst, 'device-burst', 1) }),
    ...(tenantRate !== undefined && { tenantRate: numberOf(tenantRate, 'tenant-rate', 0.001) }),
    ...(totalRate !== undefined && { totalRate: numberOf(totalRate, 'total-rate', 1) }),
    ...threadsOf(threads),
  }
}

/** Resolves when the process is asked to stop. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
}

/** `isotherm up`: gateway, pipeline, API and console over a data folder. */
export function addUp(program: Command): void {
  command<UpOptions>(
    program,
    'up',
    'run gateway, pipeline, API and console',
    serverOptions({ commitSeconds: 300 }),
    async (options, output) => {
      const parsed = parseServerOptions(options)
      const stopped = stopSignal()
      const { threads } = parsed
      const common = { ...options, ...(threads !== undefined && { threads }) }
      await withNewDeployment(
        common as CommonOptions & { threads?: number },
        async (deployment) => {
          const server = await serve(deployment, parsed)
          output.line(`Isotherm is up: ${server.url}`)
          output.line(
            `devices: MQTT ${parsed.mqttPort || 'off'}, MQTT over TLS ${parsed.mqttsPort || 'off'}, ` +
              `batches ${server.url}/messages/batch`,
          )
          await stopped
          output.line('stopping: finishing what was begun')
          await server.close()
        },
      )
    },
  )
}
