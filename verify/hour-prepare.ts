// Prepares S3 in a process of its own: a fleet with trained models, and an hour of it in the log.
// node verify/hour-prepare.ts FOLDER DEVICES
import { refrigeration } from '@isotherm/fleet-refrigeration'
import { trainModels } from 'isotherm/models'
import { createStageClock, openDeployment, runPipeline } from 'isotherm/runtime'
import { appendSimulated } from './append-simulated.ts'
import { hourEndMs, hourStartMs } from './hour-run.ts'

const hourMs = 3_600_000
const historyMs = 72 * hourMs
const historyDevices = 200
const seed = 7

const [dataDirectory = '', countText = '100000'] = process.argv.slice(2)
const report = (line: string) => console.error(line)
let nowMs = hourStartMs
const fleet = refrigeration
const simulator = fleet.simulator
if (simulator === undefined) throw new Error('the refrigeration fleet has no simulator')
const deployment = await openDeployment({ fleet, dataDirectory, clock: () => nowMs })
const { state, log, lake, models } = deployment
const devices = simulator.devices({ count: Number(countText), seed })
await state.registry.upsert(devices)
report(`${devices.length} devices registered`)

const historyStartMs = hourStartMs - historyMs
await appendSimulated({
  ...{ fleet, log, devices: devices.slice(0, historyDevices), faults: [], seed },
  ...{ startMs: historyStartMs, endMs: hourStartMs, physicsStartMs: historyStartMs },
})
const clock = createStageClock(
  () => nowMs,
  () => performance.now(),
)
await runPipeline(deployment, clock, {
  stages: ['land', 'clean', 'features'],
  finishUntilMs: hourStartMs,
})
const { models: trained } = await trainModels(
  { lake, nowMs },
  { registry: models, devices: state.registry.devices(), untilMs: hourStartMs, threads: 2 },
)
await runPipeline(deployment, clock, { finishUntilMs: hourStartMs })
for (const one of trained) {
  report(one.kind === 'failed' ? `not trained: ${one.error.message}` : one.manifest.modelId)
}

nowMs = hourEndMs
const faults = simulator.planFaults({
  ...{ devices, seed, startMs: hourStartMs - 12 * hourMs, endMs: hourEndMs + 6 * hourMs },
  share: 0.01,
})
const messageCount = await appendSimulated({
  ...{ fleet, log, devices, faults, seed, report },
  ...{ startMs: hourStartMs, endMs: hourEndMs, physicsStartMs: hourStartMs - hourMs },
})
await deployment.close()
console.log(JSON.stringify({ messageCount, faultyDevices: faults.length }))
