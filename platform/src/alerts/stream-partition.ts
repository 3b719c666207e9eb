import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type DeviceLog,
  type DeviceRow,
  type FleetDefinition,
  IsothermError,
  type LogRecord,
} from '../contracts/index.ts'
import {
  type AlertChange,
  type LogPartition,
  oneAtATime,
  type RuleStateRow,
  type State,
} from '../objects/index.ts'
import {
  type DeviceRules,
  emptyDeviceRules,
  type Firing,
  readDeviceRules,
  stepDevice,
  writeDeviceRules,
} from './device-rules.ts'
import { liveReading } from './live-reading.ts'
import { raiseFirings } from './raise-firings.ts'
import type { SensorPlan } from './sensor-plan.ts'

/** Consumer group of the stream rules, ING-19. */
const consumerGroup = 'isotherm-stream-rules'
/** Records worked through before others get the event loop. */
const recordsPerTurn = 1_000
/** Device states written in one checkpoint transaction. */
const statesPerWrite = 200

/** What became of the messages since the start. */
export type StreamCounts = {
  seen: number
  repeated: number
  tooOld: number
  unknownDevice: number
  unreadable: number
  fired: number
}

/** Thresholds of a device for a rule, by property; missing ones keep the rule's default, SRV-21. */
export type ThresholdSource = (
  device: DeviceRow,
  ruleId: string,
) => Readonly<Record<string, number>> | undefined

/** What all partitions of the stream rules share. */
export type StreamContext = {
  readonly log: DeviceLog
  readonly fleet: FleetDefinition
  readonly state: State
  readonly clock: () => number
  readonly thresholds: ThresholdSource
  readonly counts: StreamCounts
  readonly plans: (device: DeviceRow) => SensorPlan
}

type DeviceSettings = {
  readonly plan: SensorPlan
  readonly thresholds: readonly Readonly<Record<string, number>>[]
}

/** Stream rules over one partition of the log, with their state in memory and its checkpoints. */
export class StreamPartition {
  readonly #context: StreamContext
  readonly #place: LogPartition
  readonly #devices = new Map<string, DeviceRules>()
  readonly #settings = new Map<string, DeviceSettings>()
  /** Devices whose state is newer than their checkpoint. */
  readonly #dirty = new Set<DeviceRules>()
  /** Batches and checkpoints take turns: a state is never written before its alert. */
  readonly #inTurn = oneAtATime()
  /** All records below have been applied and their alerts written. */
  #applied = 0
  /** A batch failed half way: the states in memory are ahead of the alerts. */
  #isBroken = false

  private constructor(context: StreamContext, partition: number) {
    this.#context = context
    this.#place = { generation: context.log.generation, partition }
  }

  /** Opens a partition where its checkpoint left it; without one at the end of the log, ING-20. */
  static async open(context: StreamContext, partition: number): Promise<StreamPartition> {
    const opened = new StreamPartition(context, partition)
    const { log, state, fleet } = context
    for await (const page of state.ruleCheckpoints.load(opened.#place)) {
      for (const { deviceId, nextOffset, body } of page) {
        const device = readDeviceRules(deviceId, nextOffset, body, fleet.streamRules)
        opened.#devices.set(deviceId, device)
      }
    }
    const { startOffset, endOffset } = log.bounds(partition)
    const stored =
      (await state.ruleCheckpoints.position(opened.#place)) ??
      log.position(consumerGroup, partition)
    opened.#applied = Math.max(stored ?? endOffset, startOffset)
    // Held from the first start on: what arrives before the first checkpoint must not count as
    // history after a crash.
    await opened.#hold(opened.#applied)
    return opened
  }

  /** Works through the partition until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.#context
    for await (const records of log.follow(this.#place.partition, this.#applied, signal)) {
      for (let start = 0; start < records.length; start += recordsPerTurn) {
        const batch = records.slice(start, start + recordsPerTurn)
        await this.#inTurn(() => this.#apply(batch))
        if (records.length > recordsPerTurn) await nextTurn()
      }
    }
  }

  /** Writes what changed since the last checkpoint, then moves the partition's position. */
  async checkpoint(pause: () => Promise<void>): Promise<void> {
    const nextOffset = this.#applied
    const waiting = [...this.#dirty]
    for (let start = 0; start < waiting.length; start += statesPerWrite) {
      await this.#inTurn(() => this.#save(waiting.slice(start, start + statesPerWrite)))
      await pause()
    }
    await this.#hold(nextOffset)
  }

  /** Takes up changed registry rows and thresholds with the next message. */
  forgetSettings(): void {
    this.#settings.clear()
  }

  device(deviceId: string): DeviceRules | undefined {
    return this.#devices.get(deviceId)
  }

  async #hold(nextOffset: number): Promise<void> {
    await this.#context.state.ruleCheckpoints.setPosition(this.#place, nextOffset)
    await this.#context.log.commitPosition(consumerGroup, this.#place.partition, nextOffset)
  }

  async #apply(records: readonly LogRecord[]): Promise<void> {
    const { state, clock, counts } = this.#context
    const nowMs = clock()
    const firings: Firing[] = []
    const heard = new Map<string, number>()
    this.#isBroken = true
    for (const record of records) {
      if (record.offset >= this.#applied) this.#applyRecord(record, nowMs, firings, heard)
    }
    if (firings.length > 0) {
      const changes = await raiseFirings(this.#context, firings, nowMs)
      // The states go with the alerts: a rule that fired is known to be firing after a crash.
      const fired = [...new Set(firings.map(({ device }) => device))]
      await state.applyWithRuleStates(changes, this.#place, fired.map(this.#stateRow))
      counts.fired += firings.length
    }
    state.live.setLastReadings(heard)
    this.#applied = Math.max(this.#applied, (records.at(-1)?.offset ?? -1) + 1)
    this.#isBroken = false
  }

  #applyRecord(
    record: LogRecord,
    nowMs: number,
    firings: Firing[],
    heard: Map<string, number>,
  ): void {
    const { fleet, counts } = this.#context
    const { deviceId } = record
    const settings = this.#settingsOf(deviceId)
    if (settings === undefined) {
      counts.unknownDevice += 1
      return
    }
    heard.set(deviceId, record.ingestedAtMs)
    const known = this.#devices.get(deviceId)
    if (known !== undefined && record.offset < known.nextOffset) return
    const reading = liveReading(record, settings.plan, nowMs)
    if (reading === undefined) {
      counts.unreadable += 1
      return
    }
    const device = known ?? emptyDeviceRules(deviceId, fleet.streamRules)
    if (known === undefined) this.#devices.set(deviceId, device)
    const { thresholds } = settings
    const fate = stepDevice(device, reading, fleet.streamRules, thresholds, firings)
    device.nextOffset = record.offset + 1
    this.#dirty.add(device)
    counts[fate] += 1
  }

  #settingsOf(deviceId: string): DeviceSettings | undefined {
    const known = this.#settings.get(deviceId)
    if (known !== undefined) return known
    const { state, fleet, plans, thresholds: source } = this.#context
    const row = state.registry.device(deviceId)
    if (row === undefined) return undefined
    const thresholds = fleet.streamRules.map((rule) => {
      const own = source(row, rule.id)
      return own === undefined ? rule.thresholds : { ...rule.thresholds, ...own }
    })
    const settings = { plan: plans(row), thresholds }
    this.#settings.set(deviceId, settings)
    return settings
  }

  readonly #stateRow = (device: DeviceRules): RuleStateRow => ({
    deviceId: device.deviceId,
    nextOffset: device.nextOffset,
    body: writeDeviceRules(device, this.#context.fleet.streamRules),
  })

  async #save(devices: readonly DeviceRules[]): Promise<void> {
    const { partition } = this.#place
    if (this.#isBroken) {
      throw new IsothermError(
        'COMMIT_FAILED',
        `stream rules, partition ${partition}: alerts could not be written, so their states are ` +
          'not either; the messages are read again after a restart',
      )
    }
    const repeats = devices.flatMap(({ firing }) =>
      firing.flatMap((alert): AlertChange[] =>
        alert === null ? [] : [{ kind: 'repeat', ...alert }],
      ),
    )
    await this.#context.state.applyWithRuleStates(repeats, this.#place, devices.map(this.#stateRow))
    for (const device of devices) this.#dirty.delete(device)
  }
}
