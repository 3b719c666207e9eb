import { type Command, Option } from 'commander'
import { IsothermError } from '../../contracts/index.ts'
import {
  type DiagnosisOptions,
  diagnose,
  type Finding,
  readServerMarker,
} from '../../runtime/index.ts'
import { type BrokerCommandOptions, brokerOptions, parseBroker } from '../broker-options.ts'
import { loadFleet } from '../fleet-source.ts'
import { countOf } from '../option-values.ts'
import type { Output } from '../output.ts'
import { type CommonOptions, command, fleetName } from '../program.ts'

type DoctorOptions = CommonOptions &
  BrokerCommandOptions & {
    readonly host: string
    readonly port: string
    readonly mqttPort: string
    readonly mqttsPort: string
    readonly hostName: readonly string[]
    readonly tlsCert?: string
    readonly tlsKey?: string
    readonly devices?: string
    readonly timeServer: string
  }

/** The fleet as the other commands would load it; what is wrong with it is a finding. */
async function fleetOf(options: DoctorOptions): Promise<DiagnosisOptions['fleet']> {
  let named = options.fleet ?? options.data
  try {
    named = fleetName(options)
    return { kind: 'loaded', fleet: await loadFleet(named) }
  } catch (error) {
    if (!(error instanceof IsothermError)) throw error
    return { kind: 'failed', named, reason: error.message }
  }
}

const marks = { ok: '  ok     ', warning: '  warning', failed: '  FAILED ' } as const

function print(output: Output, findings: readonly Finding[]): void {
  for (const { check, state, where, expected, found, advice } of findings) {
    output.line(`${marks[state]}  ${check.padEnd(14)} ${found}`)
    if (state === 'ok') continue
    output.line(`             where:    ${where}`)
    output.line(`             expected: ${expected}`)
    output.line(`             to do:    ${advice}`)
  }
  const countOfState = (wanted: Finding['state']) =>
    findings.filter(({ state }) => state === wanted).length
  output.line(
    `${findings.length} checks: ${countOfState('failed')} failed, ${countOfState('warning')} warnings`,
  )
}

const options = [
  new Option('--host <address>', 'address to listen on').default('127.0.0.1'),
  new Option('--port <number>', 'port of API and console').default('8080'),
  new Option('--mqtt-port <number>', 'plain MQTT, 0 for none').default('1883'),
  new Option('--mqtts-port <number>', 'MQTT over TLS, 0 for none').default('8883'),
  new Option('--host-name <names...>', 'names devices connect to').default(['localhost']),
  new Option('--tls-cert <file>', 'PEM certificate; default: that of the data folder'),
  new Option('--tls-key <file>', 'PEM key of the certificate'),
  new Option('--devices <number>', 'devices to be served; default: those registered'),
  new Option(
    '--time-server <server>',
    'NTP server or URL to compare the clock with, or none; no answer is no failure',
  ).default('pool.ntp.org'),
  ...brokerOptions,
]

/** `isotherm doctor`: what most often goes wrong, found before it does. */
export function addDoctor(program: Command): void {
  command<DoctorOptions>(
    program,
    'doctor',
    'look at the machine, the settings and the data folder for what most often goes wrong; give the options of up',
    options,
    async (given, output) => {
      const { tlsCert, tlsKey, devices, timeServer } = given
      const broker = parseBroker(given)
      const server = readServerMarker(given.data)
      const findings = await diagnose({
        dataDirectory: given.data,
        fleet: await fleetOf(given),
        host: given.host,
        ports: [
          countOf(given.port, 'port', 0),
          countOf(given.mqttPort, 'mqtt-port', 0),
          countOf(given.mqttsPort, 'mqtts-port', 0),
        ],
        hostNames: given.hostName,
        ...(tlsCert !== undefined && { tlsCertificate: tlsCert }),
        ...(tlsKey !== undefined && { tlsKey }),
        ...(devices !== undefined && { deviceCount: countOf(devices, 'devices', 1) }),
        ...(timeServer !== 'none' && { timeServer }),
        ...(broker !== undefined && { broker }),
        ...(server !== undefined && { serverProcessId: server.processId }),
        nowMs: Date.now(),
      })
      if (output.isJson) output.records(findings)
      else print(output, findings)
      if (findings.some(({ state }) => state === 'failed')) process.exitCode = 1
    },
  )
}
