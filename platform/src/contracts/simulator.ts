import type { DeviceRow } from './device-registry.ts'

/** A failure mode that a fleet's simulator can inject, MON-64. */
export type FaultMode = {
  readonly name: string
  readonly title: string
  /** Hours from onset to failure when it develops undisturbed; 0 for acute modes. */
  readonly hoursToFailure: number
  /**
   * How it should be noticed: a stream rule, a batch score, a data check, or silence. `nothing` is
   * a negative control: normal behaviour that must raise no alert.
   */
  readonly noticedBy: 'stream' | 'batch' | 'data' | 'silence' | 'nothing'
  /** False for sensor and transport faults: the unit itself does not fail. */
  readonly failsUnit: boolean
}

/** One injected fault with its ground truth. */
export type FaultPlan = {
  readonly deviceId: string
  readonly mode: string
  readonly onsetMs: number
  /** When the unit stops doing its job; absent when the mode fails no unit. */
  readonly failureMs?: number
}

/** One message a simulated device wants to send. */
export type SimulatedMessage = {
  readonly deviceId: string
  readonly messageId: string
  /** True time of the reading, epoch ms. */
  readonly timeMs: number
  /** Milliseconds between reading and arrival. */
  readonly delayMs: number
  /** JSON text exactly as the device would send it (device clock in it). */
  readonly payload: string
}

/** A device with its own random stream; `step` must be called in time order. */
export type SimulatedDevice = {
  readonly deviceId: string
  /** The message of the minute that starts at `timeMs`, or undefined while silent. */
  readonly step: (timeMs: number) => SimulatedMessage | undefined
}

/** A fleet's physics: who the devices are and how each behaves, reproducible from one seed. */
export type FleetSimulator = {
  readonly modes: readonly FaultMode[]
  /** Registry rows of `count` devices on plausible sites; same seed, same fleet. */
  readonly devices: (options: {
    readonly count: number
    readonly seed: number
    readonly idPrefix?: string
  }) => readonly DeviceRow[]
  /** @throws ContractError if a plan names an unknown mode or another device */
  readonly device: (options: {
    readonly device: DeviceRow
    readonly seed: number
    readonly startMs: number
    readonly faults: readonly FaultPlan[]
    /** Share of sensor values missing at random; default 0.02. */
    readonly nullRate?: number
  }) => SimulatedDevice
  /** A reproducible plan of faults over a fleet and a time span. */
  readonly planFaults: (options: {
    readonly devices: readonly DeviceRow[]
    readonly seed: number
    readonly startMs: number
    readonly endMs: number
    /** Share of devices that get a fault. */
    readonly share: number
    readonly modes?: readonly string[]
  }) => readonly FaultPlan[]
}
