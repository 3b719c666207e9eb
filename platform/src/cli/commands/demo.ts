import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import {
  type DeviceRow,
  type FaultPlan,
  type FleetSimulator,
  IsothermError,
} from '../../contracts/index.ts'
import { generateSasKeys } from '../../objects/index.ts'
import type { Deployment } from '../../runtime/index.ts'
import {
  createSasToken,
  type LivePublisher,
  publishHistory,
  publishLive,
} from '../../simulate/index.ts'
import { countOf, numberOf } from '../option-values.ts'
import type { Output } from '../output.ts'
import { type CommonOptions, command, withNewDeployment } from '../program.ts'
import { type RunningServer, serve } from '../serve.ts'
import { parseServerOptions, serverOptions, stopSignal } from './up.ts'

type DemoOptions = CommonOptions &
  Parameters<typeof parseServerOptions>[0] & {
    readonly devices: string
    readonly days: string
    readonly seed: string
  }

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** Slow faults that are well under way when the demo starts, by hours since onset. */
const developing: readonly (readonly [mode: string, sinceHours: number])[] = [
  ['refrigerant_leak', 16],
  ['bearing_wear', 30],
  ['condenser_fouling', 40],
]

/** The acute fault that strikes as the demo starts, minutes before its history ends. */
const acute = { mode: 'compressor_seizure', beforeEndMinutes: 4 } as const

/** Slow faults spread over the fleet and one acute one on its last unit. */
function plannedFaults(
  simulator: FleetSimulator,
  devices: readonly DeviceRow[],
  nowMs: number,
): readonly FaultPlan[] {
  const modes = new Map(simulator.modes.map((mode) => [mode.name, mode]))
  const slow = developing.map(([mode, sinceHours], index) => ({
    mode,
    device: devices[Math.floor(((index + 1) * devices.length) / (developing.length + 2))],
    onsetMs: nowMs - sinceHours * hourMs,
  }))
  const onsetMs = Math.floor(nowMs / minuteMs) * minuteMs - acute.beforeEndMinutes * minuteMs
  return [...slow, { mode: acute.mode, device: devices.at(-1), onsetMs }].flatMap((fault) => {
    const mode = modes.get(fault.mode)
    if (mode === undefined || fault.device === undefined) return []
    const failureMs = fault.onsetMs + mode.hoursToFailure * hourMs
    return [
      { deviceId: fault.device.device_id, mode: fault.mode, onsetMs: fault.onsetMs, failureMs },
    ]
  })
}

async function registerFleet(
  deployment: Deployment,
  simulator: FleetSimulator,
  count: number,
  seed: number,
): Promise<readonly DeviceRow[]> {
  const { state } = deployment
  if (state.registry.devices().length === 0) {
    const devices = simulator.devices({ count, seed })
    await state.registry.upsert(devices)
    await state.credentials.set(
      devices.map(({ device_id }) => ({ deviceId: device_id, credential: generateSasKeys() })),
    )
  }
  return state.registry.devices()
}

/** A SAS login as a device would make it from its own key. */
function loginOf({ state, clock }: Deployment, deviceId: string) {
  const identity = state.credentials.identity.device(deviceId)
  const sas = identity?.credentials.find((credential) => credential.kind === 'sas')
  if (sas === undefined || sas.kind !== 'sas') {
    throw new IsothermError('NOT_FOUND', `device ${deviceId} has no SAS key; register it again`)
  }
  const expiresAtS = Math.floor(clock() / 1000) + 3600
  const username = `localhost/${deviceId}/?api-version=2021-04-12`
  const password = createSasToken({
    host: 'localhost',
    deviceId,
    key: sas.primaryKey,
    expiresAtS,
  })
  return { username, password }
}

type Story = {
  readonly deployment: Deployment
  readonly server: RunningServer
  readonly simulator: FleetSimulator
  readonly devices: readonly DeviceRow[]
  readonly faults: readonly FaultPlan[]
  readonly seed: number
  readonly output: Output
}

/** Days of the past, sent by a collector through the front door, then landed and featured. */
async function tellHistory(story: Story, startMs: number, endMs: number): Promise<void> {
  const { deployment, server, output } = story
  const { token } = await deployment.state.credentials.addCollector({
    collectorId: 'demo',
    mayBackdate: true,
  })
  const total = Math.round((endMs - startMs) / minuteMs) * story.devices.length
  await publishHistory({
    ...story,
    baseUrl: server.url,
    token,
    startMs,
    endMs,
    sleep: (ms, signal) => sleep(ms, undefined, signal && { signal }),
    onProgress: (count) => output.progress(`sending history: ${count} of ${total} messages`),
  })
  output.line(`history: ${total.toLocaleString('en')} messages of ${story.devices.length} units`)
  output.progress('computing features')
  await server.operation.run({ stages: ['land', 'clean', 'features'], finishUntilMs: endMs })
}

function goLive(
  story: Story,
  mqttPort: number,
  physicsStartMs: number,
  startMs: number,
  signal: AbortSignal,
): LivePublisher {
  const { deployment } = story
  return publishLive({
    ...story,
    physicsStartMs,
    startMs,
    // A collector would do; MQTT connections show that devices really can connect.
    transport: {
      kind: 'mqtt',
      url: `mqtt://127.0.0.1:${mqttPort}`,
      login: (deviceId) => loginOf(deployment, deviceId),
    },
    nowMs: deployment.clock,
    sleep: (ms) => sleep(ms, undefined, { signal }).catch(() => undefined),
    random: Math.random,
    signal,
  })
}

/**
 * Time of the newest reading there is, those that were acknowledged and not landed when the demo
 * was killed included: sent again, they would differ a little and be stored beside the first.
 */
async function newestReadingMs({ deployment, server }: Story): Promise<number> {
  await server.operation.run({ stages: ['land', 'clean'] })
  const { rows } = await deployment.lake.query(
    'SELECT epoch_ms(max(timestamp_utc)) FROM clean_sensor_readings',
  )
  return Number(rows[0]?.[0] ?? 0)
}

async function play(
  story: Story,
  days: number,
  mqttPort: number,
  stopped: Promise<void>,
): Promise<void> {
  const { deployment, server, output } = story
  const nowMs = Math.floor(deployment.clock() / minuteMs) * minuteMs
  const newest = await newestReadingMs(story)
  for (const { deviceId, mode } of story.faults) output.line(`injected: ${mode} on ${deviceId}`)
  const historyStartMs = Math.min(nowMs, Math.max(nowMs - days * dayMs, newest + minuteMs))
  await tellHistory(story, historyStartMs, nowMs)
  if ((await deployment.models.deployed(deployment.clock())).length === 0) {
    output.progress('training')
    const { models } = await server.operation.train(nowMs)
    const failed = models.filter(({ kind }) => kind === 'failed')
    output.line(`trained ${models.length - failed.length} models`)
  }
  output.progress('scoring')
  await server.operation.run()
  const active = await deployment.state.alerts.active()
  output.line(`${active.length} alerts, each with its reason: ${server.url}`)

  const abort = new AbortController()
  const live = goLive(story, mqttPort, historyStartMs, nowMs, abort.signal)
  output.line('live: every unit sends once a minute over MQTT; stop with Ctrl-C')
  await Promise.race([stopped, live.done])
  abort.abort()
  await live.done
}

/** `isotherm demo`: a simulated fleet through the real front door, with faults under way. */
export function addDemo(program: Command): void {
  command<DemoOptions>(
    program,
    'demo',
    'run everything on a simulated fleet with faults under way',
    [
      ...serverOptions({ commitSeconds: 5 }),
      new Option('--devices <number>', 'simulated units').default('30'),
      new Option('--days <number>', 'days of history').default('10'),
      new Option('--seed <number>', 'seed of fleet, history and faults').default('7'),
    ],
    async (options, output) => {
      const parsed = parseServerOptions(options)
      const seed = countOf(options.seed, 'seed', 0)
      const count = countOf(options.devices, 'devices', 1)
      const days = numberOf(options.days, 'days', 0)
      const stopped = stopSignal()
      await withNewDeployment(options as CommonOptions, async (deployment) => {
        const { simulator } = deployment.fleet
        if (simulator === undefined) {
          throw new IsothermError(
            'INPUT_INVALID',
            `the ${deployment.fleet.name} fleet has no simulator; choose --fleet refrigeration`,
          )
        }
        const devices = await registerFleet(deployment, simulator, count, seed)
        // History comes as fast as it can be taken; ING-12's default is for live fleets.
        const server = await serve(deployment, { totalRate: 1_000_000, ...parsed })
        output.line(`Isotherm demo: ${server.url}`)
        const faults = plannedFaults(simulator, devices, deployment.clock())
        const story = { deployment, server, simulator, devices, faults, seed, output }
        try {
          await play(story, days, parsed.mqttPort, stopped)
        } finally {
          await server.close()
        }
      })
    },
  )
}
