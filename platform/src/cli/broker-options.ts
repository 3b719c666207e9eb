import { hostname } from 'node:os'
import { Option } from 'commander'
import { IsothermError } from '../contracts/index.ts'
import type { BrokerSourceOptions } from '../gateway/index.ts'

/** Options for telemetry from an MQTT broker that is there already. */
export type BrokerCommandOptions = {
  readonly broker?: string
  readonly brokerTopic?: string
  readonly brokerGroup: string
}

/** Where the password of the broker is read from: an argument would be seen by everybody. */
const passwordVariable = 'ISOTHERM_BROKER_PASSWORD'

/** The options as the command line shows them. */
export const brokerOptions: readonly Option[] = [
  new Option(
    '--broker <url>',
    `take telemetry from this broker: mqtts://user@host:8883 (password in ${passwordVariable})`,
  ),
  new Option('--broker-topic <pattern>', 'its topics, for example plant/{device}/readings'),
  new Option('--broker-group <name>', 'consumers of a group share the messages').default(
    'isotherm',
  ),
]

const defaultPorts: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883 }

/** Parses them; undefined without a broker. @throws IsothermError INPUT_INVALID */
export function parseBroker(options: BrokerCommandOptions): BrokerSourceOptions | undefined {
  const { broker, brokerTopic, brokerGroup } = options
  if (broker === undefined && brokerTopic === undefined) return undefined
  if (broker === undefined || brokerTopic === undefined) {
    throw new IsothermError('INPUT_INVALID', 'give --broker and --broker-topic together')
  }
  const url = URL.canParse(broker) ? new URL(broker) : undefined
  const defaultPort = url === undefined ? undefined : defaultPorts[url.protocol]
  if (url === undefined || defaultPort === undefined || url.password !== '') {
    throw new IsothermError(
      'INPUT_INVALID',
      `--broker: expected mqtt://user@host:port or mqtts://..., the password in ${passwordVariable}`,
    )
  }
  const password = process.env[passwordVariable]
  return {
    host: url.hostname,
    port: url.port === '' ? defaultPort : Number(url.port),
    ...(url.protocol === 'mqtts:' && { tls: {} }),
    ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
    ...(password !== undefined && { password }),
    clientId: `${brokerGroup}-${hostname()}`,
    group: brokerGroup,
    topic: brokerTopic,
  }
}
