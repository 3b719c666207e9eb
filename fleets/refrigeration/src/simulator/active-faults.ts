import { type DeviceRow, type FaultPlan, IsothermError } from 'isotherm/contracts'
import { clearEffects, type Effects } from './effects.ts'
import { type FaultBehaviour, faultBehaviours } from './fault-behaviours.ts'
import { faultModes, findMode } from './fault-modes.ts'
import { type RandomStream, randomStream } from './random-stream.ts'
import type { Unit } from './unit.ts'

const hourMs = 3_600_000

type ActiveFault = {
  readonly onsetMs: number
  readonly failureMs: number
  /** Hours of the nominal time scale from onset to failure; infinite if nothing fails. */
  readonly nominalHours: number
  /** How unevenly the fault develops, -0.8 to 0.8. */
  readonly unevenness: number
  readonly random: RandomStream
  readonly behave: FaultBehaviour
}

function activate(plan: FaultPlan, device: DeviceRow, seed: number): ActiveFault {
  const mode = findMode(plan.mode)
  if (mode === undefined) {
    throw new IsothermError(
      'INPUT_INVALID',
      `fault plan of ${plan.deviceId}: mode ${plan.mode} is unknown; expected one of ${faultModes.map(({ name }) => name).join(', ')}`,
    )
  }
  if (plan.deviceId !== device.device_id) {
    throw new IsothermError(
      'INPUT_INVALID',
      `fault plan ${plan.mode}: device ${plan.deviceId} is not ${device.device_id}; give each device its own plans`,
    )
  }
  const random = randomStream(seed, `${plan.deviceId}/${plan.mode}/${plan.onsetMs}`)
  return {
    onsetMs: plan.onsetMs,
    failureMs: mode.failsUnit
      ? (plan.failureMs ?? plan.onsetMs + mode.hoursToFailure * hourMs)
      : Number.POSITIVE_INFINITY,
    nominalHours: mode.hoursToFailure,
    unevenness: 0.8 * (2 * random.unit() - 1),
    random,
    behave: faultBehaviours[mode.name](),
  }
}

/** Nominal hours a fault has developed: faster and slower in turn, exact at onset and failure. */
function developedHours(fault: ActiveFault, timeMs: number): number {
  const elapsedMs = timeMs - fault.onsetMs
  if (fault.failureMs === Number.POSITIVE_INFINITY) return elapsedMs / hourMs
  const share = Math.min(1, elapsedMs / (fault.failureMs - fault.onsetMs))
  const angle = 2 * Math.PI * share
  return fault.nominalHours * (share + (fault.unevenness * Math.sin(angle)) / (2 * Math.PI))
}

/**
 * The faults of one device.
 * @returns writes the effects of the minute that starts at `timeMs`
 * @throws IsothermError INPUT_INVALID for an unknown mode or another device
 */
export function activeFaults(
  plans: readonly FaultPlan[],
  device: DeviceRow,
  seed: number,
): (timeMs: number, unit: Unit, effects: Effects) => void {
  const faults = plans.map((plan) => activate(plan, device, seed))
  const firstMs = faults.reduce((first, { onsetMs }) => Math.min(first, onsetMs), Infinity)
  return (timeMs, unit, effects) => {
    if (timeMs < firstMs) return
    clearEffects(effects)
    for (const fault of faults) {
      if (timeMs < fault.onsetMs) continue
      const moment = {
        timeMs,
        minutes: Math.floor((timeMs - fault.onsetMs) / 60_000),
        hours: developedHours(fault, timeMs),
        hasFailed: timeMs >= fault.failureMs,
        unit,
        random: fault.random,
      }
      fault.behave(moment, effects)
    }
  }
}
