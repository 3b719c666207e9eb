import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import {
  alertedSpans,
  runOfflineRule,
  runSlaMonitor,
  runStreamRules,
  type StreamRules,
} from 'isotherm/alerts'
import type { DeviceAlertRow, DeviceRow, FaultPlan, FleetDefinition } from 'isotherm/contracts'
import { createGateway, type Gateway, ingestRoutes } from 'isotherm/gateway'
import { trainModels } from 'isotherm/models'
import {
  createStageClock,
  type Deployment,
  openDeployment,
  runPipeline,
  type StageClock,
  type StageName,
} from 'isotherm/runtime'
import { publishHistory } from 'isotherm/simulate'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** A clock that is moved by hand. */
export type VirtualClock = { readonly now: () => number; readonly set: (ms: number) => void }

export function virtualClock(startMs: number): VirtualClock {
  let nowMs = startMs
  return {
    now: () => nowMs,
    set: (ms) => {
      nowMs = ms
    },
  }
}

/** A deployment with its HTTP door open, living in virtual time. */
export type VirtualSystem = {
  readonly deployment: Deployment
  readonly gateway: Gateway
  readonly baseUrl: string
  readonly token: string
  readonly close: () => Promise<void>
}

/** Opens a deployment whose every clock is the given one; messages come in over HTTP. */
export async function openVirtualSystem(options: {
  readonly fleet: FleetDefinition
  readonly dataDirectory: string
  readonly clock: VirtualClock
  readonly devices: readonly DeviceRow[]
}): Promise<VirtualSystem> {
  const { fleet, dataDirectory, clock, devices } = options
  const deployment = await openDeployment({ fleet, dataDirectory, clock: clock.now })
  await deployment.state.registry.upsert(devices)
  const { token } = await deployment.state.credentials.addCollector({
    collectorId: 'verify',
    mayBackdate: true,
  })
  const gateway = createGateway({
    fleet,
    log: deployment.log,
    directory: deployment.state.credentials.identity,
    hostNames: ['localhost'],
    clock: clock.now,
    limits: { deploymentMessagesPerSecond: 1e9, deploymentBurst: 1e9 },
  })
  const app = Fastify()
  await app.register(async (scope) => ingestRoutes(scope, gateway))
  const baseUrl = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    deployment,
    gateway,
    baseUrl,
    token,
    close: async () => {
      await gateway.close()
      await app.close()
      await deployment.close()
    },
  }
}

/** A month of a fleet, and what happens when. */
export type MonthOptions = {
  readonly fleet: FleetDefinition
  readonly dataDirectory: string
  readonly devices: readonly DeviceRow[]
  readonly faults: readonly FaultPlan[]
  readonly seed: number
  readonly startMs: number
  readonly endMs: number
  /** When the models are trained and put to use; until the first of them nothing is scored. */
  readonly trainAtMs: readonly number[]
  readonly report: (line: string) => void
}

/** What a month left behind. */
export type Month = {
  /** Every alert that was not suppressed, oldest first. */
  readonly alerts: readonly DeviceAlertRow[]
  /** Devices by mean score, highest first, for each day with scores; by day's start. */
  readonly rankings: ReadonlyMap<number, readonly string[]>
  readonly stageSeconds: Readonly<Record<string, number>>
  readonly hourlyRunSeconds: number
  readonly messageCount: number
}

/** Simulated time between two batches of messages: the stream rules ignore what is 10 min old. */
const sliceMinutes = 5

/** Pipeline runs start this long after the full hour, when its windows are complete. */
const runDelayMs = 8 * minuteMs

/** Before there are models nothing waits for an hourly run. */
const idleRunMs = 6 * hourMs

/** All but the copy of the alerts in the lake, which nobody reads here. */
const stagesOfRun: readonly StageName[] = ['land', 'clean', 'features', 'score', 'alerts']

/** Waits until the stream rules have seen all that the log holds. */
async function caughtUp({ log }: Deployment, rules: StreamRules): Promise<void> {
  const held = () => {
    let count = 0
    for (let partition = 0; partition < log.partitionCount; partition++) {
      const { startOffset, endOffset } = log.bounds(partition)
      count += endOffset - startOffset
    }
    return count
  }
  for (;;) {
    const { seen, repeated, tooOld, unknownDevice, unreadable } = rules.counts()
    if (seen + repeated + tooOld + unknownDevice + unreadable >= held()) return
    await sleep(2)
  }
}

/** Trains on what the month has shown so far and puts the new versions to use. */
async function train(deployment: Deployment, untilMs: number, report: MonthOptions['report']) {
  const { lake, models, state } = deployment
  const { models: trained } = await trainModels(
    { lake, nowMs: deployment.clock() },
    {
      registry: models,
      devices: state.registry.devices(),
      untilMs,
      deploy: true,
      setBy: 'verify',
      excludedSpans: await alertedSpans(state, 0, untilMs),
    },
  )
  for (const model of trained) {
    if (model.kind === 'failed') throw model.error
    const { modelId, modelVersion, training, exclusions } = model.manifest
    report(
      `  ${modelId} ${modelVersion}: ${training.rowCount} rows, ${(100 * exclusions.excludedFraction).toFixed(1)} % left out`,
    )
  }
}

async function readRankings({ lake }: Deployment): Promise<Month['rankings']> {
  const { rows } = await lake.query(`
    SELECT device_id, epoch_ms(date_trunc('day', window_start)) AS day, avg(anomaly_score) AS score
    FROM model_scores WHERE deployment_role = 'champion'
    GROUP BY ALL ORDER BY score DESC, device_id`)
  const days = Map.groupBy(rows, (row) => Number(row[1]))
  return new Map([...days].map(([day, own]) => [day, own.map(([deviceId]) => String(deviceId))]))
}

async function readAlerts({ state }: Deployment): Promise<readonly DeviceAlertRow[]> {
  const alerts: DeviceAlertRow[] = []
  let cursor: string | undefined
  do {
    const page = await state.alerts.query({
      order: 'newest',
      limit: 500,
      ...(cursor !== undefined && { cursor }),
    })
    alerts.push(...page.alerts)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return alerts.toReversed()
}

/** The pipeline of a month: when it runs next, and with which stages. */
function createSchedule(
  options: MonthOptions,
  deployment: Deployment,
  rules: StreamRules,
  stages: StageClock,
) {
  const pending = [...options.trainAtMs]
  let nextRunMs = options.startMs + idleRunMs + runDelayMs
  let isTrained = false
  let hourlyRuns = 0
  let hourlySeconds = 0

  async function runDue(nowMs: number): Promise<void> {
    if (nowMs < nextRunMs) return
    const began = performance.now()
    const isDue = pending[0] !== undefined && nowMs >= pending[0] + runDelayMs
    await runPipeline(deployment, stages, { isFiring: rules.isFiring, stages: stagesOfRun })
    if (isTrained) {
      hourlyRuns += 1
      hourlySeconds += (performance.now() - began) / 1000
    }
    if (isDue) {
      const untilMs = pending.shift() ?? nowMs
      options.report(`day ${(untilMs - options.startMs) / dayMs}: training`)
      await stages.timed('train', () => train(deployment, untilMs, options.report))
      isTrained = true
    }
    const stepMs = isTrained ? hourMs : idleRunMs
    nextRunMs = Math.floor((nowMs - runDelayMs) / stepMs + 1) * stepMs + runDelayMs
    if (nextRunMs % dayMs < stepMs) await maintain(deployment, stages)
  }
  return { runDue, hourlyRunSeconds: () => hourlySeconds / Math.max(1, hourlyRuns) }
}

/** Packs small files and expires old ones, as the operation does. */
async function maintain({ lake, clock }: Deployment, stages: StageClock): Promise<void> {
  await stages.timed('maintain', async () => {
    for (const name of lake.tableNames) {
      await lake.withConnection((connection) => lake.table(name).maintain(connection, clock()))
    }
  })
}

/** A cabinet that keeps nothing cold is noticed in the shop, with or without an alert. */
const noticedWithinMs = 12 * hourMs

/** Takes the units out of service that failed half a day ago: nobody repairs them here. */
async function retireFailed(
  { state }: Deployment,
  faults: readonly FaultPlan[],
  nowMs: number,
): Promise<void> {
  const failed = new Set(
    faults
      .filter(({ failureMs = Number.POSITIVE_INFINITY }) => failureMs + noticedWithinMs <= nowMs)
      .map(({ deviceId }) => deviceId),
  )
  const devices = state.registry.devices()
  await state.registry.upsert(
    devices
      .filter(({ device_id, status }) => status === 'active' && failed.has(device_id))
      .map((device) => ({ ...device, status: 'disabled', valid_from: nowMs })),
  )
}

/**
 * Lives through a month: the fleet sends over HTTP, the stream rules follow the log, the monitors
 * of silence and deadlines look every few minutes, the pipeline runs every hour. Units that failed
 * are taken out of service once a day. Only the clock is not real.
 */
export async function liveMonth(options: MonthOptions): Promise<Month> {
  const { fleet, devices, faults, seed, startMs, endMs, report } = options
  const { simulator } = fleet
  if (simulator === undefined) throw new Error(`fleet ${fleet.name} has no simulator`)
  const clock = virtualClock(startMs)
  const system = await openVirtualSystem({ ...options, clock })
  const { deployment } = system
  const abort = new AbortController()
  const rules = await runStreamRules({ ...deployment, signal: abort.signal })
  const stages = createStageClock(clock.now, () => performance.now())
  const schedule = createSchedule(options, deployment, rules, stages)
  const began = performance.now()
  try {
    let shownMs = startMs
    const { messageCount } = await publishHistory({
      ...{ simulator, devices, faults, seed, startMs, endMs },
      baseUrl: system.baseUrl,
      token: system.token,
      batchSize: devices.length * sliceMinutes,
      sleep: (ms) => sleep(ms),
      onProgress: async (count, timeMs) => {
        await stages.timed('stream', () => caughtUp(deployment, rules))
        await stages.timed('monitor', async () => {
          const { state } = deployment
          await runOfflineRule({ state, fleet, nowMs: clock.now(), listeningSinceMs: startMs })
          await runSlaMonitor(state, clock.now())
        })
        await schedule.runDue(clock.now())
        if (timeMs - shownMs >= dayMs) {
          shownMs += dayMs
          await retireFailed(deployment, faults, clock.now())
          const seconds = ((performance.now() - began) / 1000).toFixed(0)
          report(`day ${(shownMs - startMs) / dayMs}: ${count} messages, ${seconds} s`)
        }
        // The batch that waits was sent in the next slice; the clock stands at its end.
        clock.set(timeMs + sliceMinutes * minuteMs)
      },
    })
    const seconds = stages.health().map(({ stage, totalSeconds }) => [stage, totalSeconds] as const)
    return {
      alerts: await readAlerts(deployment),
      rankings: await readRankings(deployment),
      stageSeconds: Object.fromEntries(seconds),
      hourlyRunSeconds: schedule.hourlyRunSeconds(),
      messageCount,
    }
  } finally {
    abort.abort()
    await rules.done.catch(() => undefined)
    await system.close()
  }
}
