import { type FaultPlan, type FleetSimulator, IsothermError } from 'isotherm/contracts'
import { faultModes, findMode } from './fault-modes.ts'
import { randomStream } from './random-stream.ts'

const hourMs = 3_600_000
const minuteMs = 60_000

/** Modes planned unless the caller names some: no controls, and nothing that hits a whole fleet. */
const usualModes: readonly string[] = faultModes
  .filter(({ noticedBy, name }) => noticedBy !== 'nothing' && name !== 'firmware_rescale')
  .map(({ name }) => name)

/**
 * A reproducible plan: a share of the devices gets one fault each, the modes in turn so that all
 * occur, each developing at its own pace (0.75 to 1.4 of the nominal time). The failure lies in
 * [startMs, endMs) wherever the span is long enough.
 * @throws IsothermError INPUT_INVALID for an unknown mode or an empty span
 */
export const planFaults: FleetSimulator['planFaults'] = (options) => {
  const { devices, seed, startMs, endMs, share, modes = usualModes } = options
  const unknown = modes.find((name) => findMode(name) === undefined)
  if (unknown !== undefined || modes.length === 0 || !(endMs > startMs)) {
    throw new IsothermError(
      'INPUT_INVALID',
      `fault plan: modes ${modes.join(', ')} over ${startMs} to ${endMs}; expected known modes (${usualModes.join(', ')}) and an end after the start`,
    )
  }
  const random = randomStream(seed, 'fault-plans')
  const ranked = devices
    .map(({ device_id }) => ({ deviceId: device_id, rank: random.unit() }))
    .sort((left, right) => left.rank - right.rank)
    .slice(0, Math.round(devices.length * share))
  const offset = Math.floor(random.unit() * modes.length)
  const plans = ranked.map(({ deviceId }, index): FaultPlan => {
    const name = modes[(index + offset) % modes.length]!
    const mode = findMode(name)!
    const own = randomStream(seed, `${deviceId}/plan`)
    const durationMs = mode.hoursToFailure * hourMs * 0.75 * (1.4 / 0.75) ** own.unit()
    const lastOnsetMs = Math.max(startMs, endMs - durationMs)
    // A firmware roll-out hits its devices together.
    const place = name === 'firmware_rescale' ? randomStream(seed, name).unit() : own.unit()
    const onsetMs = startMs + Math.floor((place * (lastOnsetMs - startMs)) / minuteMs) * minuteMs
    const plan = { deviceId, mode: name, onsetMs }
    return mode.failsUnit ? { ...plan, failureMs: onsetMs + Math.round(durationMs) } : plan
  })
  return plans.sort(
    (left, right) => left.onsetMs - right.onsetMs || (left.deviceId < right.deviceId ? -1 : 1),
  )
}
