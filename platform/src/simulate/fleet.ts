import {
  type DeviceRow,
  type FaultPlan,
  type FleetSimulator,
  IsothermError,
  type SimulatedDevice,
} from '../contracts/index.ts'

/** Which fleet to simulate; equal values give equal messages. */
export type SimulationOptions = {
  readonly simulator: FleetSimulator
  readonly devices: readonly DeviceRow[]
  readonly faults: readonly FaultPlan[]
  readonly seed: number
  /** Where the physics of all devices begins; default is the first minute published. */
  readonly physicsStartMs?: number
  /** Share of sensor values missing at random. */
  readonly nullRate?: number
}

const minuteMs = 60_000

/** First full minute at or after an instant. */
export function minuteAtOrAfter(timeMs: number): number {
  return Math.ceil(timeMs / minuteMs) * minuteMs
}

/** Makes one device that stands at `startMs`: its past since the start of the physics has run. */
export function deviceAt(
  options: SimulationOptions,
  device: DeviceRow,
  faults: readonly FaultPlan[],
  startMs: number,
): SimulatedDevice {
  const { simulator, seed, physicsStartMs = startMs, nullRate } = options
  const simulated = simulator.device({
    device,
    seed,
    startMs: physicsStartMs,
    faults,
    ...(nullRate === undefined ? {} : { nullRate }),
  })
  for (let timeMs = minuteAtOrAfter(physicsStartMs); timeMs < startMs; timeMs += minuteMs) {
    simulated.step(timeMs)
  }
  return simulated
}

/** Plans by device. @throws IsothermError INPUT_INVALID if a plan names a device not simulated */
export function plansByDevice(
  options: Pick<SimulationOptions, 'devices' | 'faults'>,
): ReadonlyMap<string, readonly FaultPlan[]> {
  const plans = new Map<string, FaultPlan[]>(
    options.devices.map(({ device_id }) => [device_id, []]),
  )
  for (const plan of options.faults) {
    const own = plans.get(plan.deviceId)
    if (own === undefined) {
      throw new IsothermError(
        'INPUT_INVALID',
        `fault plan ${plan.mode}: device ${plan.deviceId} is not simulated; name one of the ${options.devices.length} devices`,
      )
    }
    own.push(plan)
  }
  return plans
}
