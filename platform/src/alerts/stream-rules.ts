import { setTimeout as sleep } from 'node:timers/promises'
import type { DeviceLog, FleetDefinition } from '../contracts/index.ts'
import type { State } from '../objects/index.ts'
import { createSensorPlans } from './sensor-plan.ts'
import {
  type StreamContext,
  type StreamCounts,
  StreamPartition,
  type ThresholdSource,
} from './stream-partition.ts'

/** What the stream rules run on. */
export type StreamRulesOptions = {
  readonly log: DeviceLog
  readonly fleet: FleetDefinition
  readonly state: State
  /** Epoch ms. */
  readonly clock: () => number
  /** Ends the run; a last checkpoint is written. */
  readonly signal: AbortSignal
  /** Thresholds that differ from the rules' defaults, SRV-21. */
  readonly thresholds?: ThresholdSource
  /**
   * Time over which one round of checkpoints is spread, default 300,000 ms. A shorter one writes
   * more, a longer one reads more of the log again after a crash.
   */
  readonly checkpointEveryMs?: number
}

/** Running stream rules. */
export type StreamRules = {
  /** Settles when the signal ended the run; rejects when the log or the store broke. */
  readonly done: Promise<void>
  readonly counts: () => Readonly<StreamCounts>
  /** True while a rule fires on a device, SRV-22. */
  readonly isFiring: (deviceId: string, ruleId: string) => boolean
  /** Writes a round of checkpoints now. */
  readonly checkpoint: () => Promise<void>
}

const defaultCheckpointEveryMs = 300_000
/** Shortest wait between two rounds, so that an idle fleet does not spin. */
const shortestWaitMs = 50

/**
 * Follows the log with the fleet's stream rules, SRV-13: a rule that fires has its CRITICAL alert
 * in the state store before the next thousand messages are looked at. Alerts and states are written
 * together and ids are deterministic, so a crash neither loses nor doubles an alert.
 * Cost: 2 to 20 µs a message, depending on the rules.
 */
export async function runStreamRules(options: StreamRulesOptions): Promise<StreamRules> {
  const { log, fleet, state, signal } = options
  const everyMs = options.checkpointEveryMs ?? defaultCheckpointEveryMs
  const counts: StreamCounts = {
    ...{ seen: 0, repeated: 0, tooOld: 0, unknownDevice: 0, unreadable: 0, fired: 0 },
  }
  const context: StreamContext = {
    ...{ log, fleet, state, counts },
    clock: options.clock,
    thresholds: options.thresholds ?? (() => undefined),
    plans: createSensorPlans(fleet),
  }
  const partitions: StreamPartition[] = []
  for (let partition = 0; partition < log.partitionCount; partition++) {
    partitions.push(await StreamPartition.open(context, partition))
  }
  const leave = state.registry.onChange(() => {
    for (const partition of partitions) partition.forgetSettings()
  })

  const broken = new AbortController()
  const stop = AbortSignal.any([signal, broken.signal])
  const wait = async (ms: number): Promise<void> => {
    await sleep(ms, undefined, { signal: stop }).catch((cause: unknown) => {
      if (!stop.aborted) throw cause
    })
  }
  const checkpointAll = async (pause: () => Promise<void>) => {
    for (const partition of partitions) await partition.checkpoint(pause)
    await state.live.flushReadings()
  }
  const keepCheckpoints = async () => {
    while (!stop.aborted) {
      await wait(Math.max(shortestWaitMs, everyMs / 2))
      for (const partition of partitions) partition.forgetSettings()
      // The second half of the period is spread over the writes, so that none comes in a burst.
      if (!stop.aborted) await checkpointAll(() => wait(Math.min(shortestWaitMs, everyMs / 100)))
    }
  }
  const work = [...partitions.map((partition) => partition.run(stop)), keepCheckpoints()].map(
    (part) =>
      part.catch((cause: unknown) => {
        broken.abort()
        throw cause
      }),
  )
  const finish = async () => {
    try {
      await Promise.all(work)
      await checkpointAll(() => Promise.resolve())
    } finally {
      leave()
    }
  }
  const ruleIndex = new Map(fleet.streamRules.map(({ id }, index) => [id, index]))
  return {
    done: finish(),
    counts: () => counts,
    isFiring: (deviceId, ruleId) => {
      const index = ruleIndex.get(ruleId) ?? -1
      return partitions.some((partition) => partition.device(deviceId)?.phases[index] === 'firing')
    },
    checkpoint: () => checkpointAll(() => Promise.resolve()),
  }
}
