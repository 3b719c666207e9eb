import { type Command, Option } from 'commander'
import { IsothermError } from '../../contracts/index.ts'
import { type CommonOptions, command, withDeployment } from '../program.ts'
import { type ServeOptions, serve } from '../serve.ts'

type UpOptions = CommonOptions & {
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
    new Option('--total-rate <number>', 'messages a second of all devices together'),
    new Option('--log-level <level>', 'pino level').default('warn'),
    new Option('--threads <number>', 'threads of SQL engine and scoring'),
  ]
}

function number(text: string, name: string, least: number): number {
  const value = Number(text)
  if (Number.isFinite(value) && value >= least) return value
  throw new IsothermError(
    'INPUT_INVALID',
    `--${name} ${text}: expected a number of ${least} or more`,
  )
}

/** Parses the options of a listening server. */
export function parseServerOptions(
  options: UpOptions,
): ServeOptions & { readonly threads?: number } {
  const { tlsCert, tlsKey, deviceRate, deviceBurst, totalRate, threads } = options
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new IsothermError('INPUT_INVALID', 'give --tls-cert and --tls-key together')
  }
  return {
    host: options.host,
    port: number(options.port, 'port', 0),
    mqttPort: number(options.mqttPort, 'mqtt-port', 0),
    mqttsPort: number(options.mqttsPort, 'mqtts-port', 0),
    hostNames: options.hostName,
    commitSeconds: number(options.commitSeconds, 'commit-seconds', 0.1),
    logLevel: options.logLevel,
    ...(tlsCert !== undefined && { tlsCertificate: tlsCert }),
    ...(tlsKey !== undefined && { tlsKey }),
    ...(deviceRate !== undefined && { deviceRate: number(deviceRate, 'device-rate', 0.001) }),
    ...(deviceBurst !== undefined && { deviceBurst: number(deviceBurst, 'device-burst', 1) }),
    ...(totalRate !== undefined && { totalRate: number(totalRate, 'total-rate', 1) }),
    ...(threads !== undefined && { threads: number(threads, 'threads', 1) }),
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
      await withDeployment(common as CommonOptions & { threads?: number }, async (deployment) => {
        const server = await serve(deployment, parsed)
        output.line(`Isotherm is up: ${server.url}`)
        output.line(
          `devices: MQTT ${parsed.mqttPort}, MQTT over TLS ${parsed.mqttsPort}, HTTPS ${parsed.port}`,
        )
        await stopped
        output.line('stopping: finishing what was begun')
        await server.close()
      })
    },
  )
}
