import type { SimulatedDevice, SimulatedMessage } from '../contracts/index.ts'

const minuteMs = 60_000

/** Messages under way between devices and gateway, handed out in order of arrival. */
export type Arrivals = {
  /** Lets all devices measure in the minute that starts at `timeMs`. */
  readonly measure: (devices: readonly SimulatedDevice[], timeMs: number) => void
  /** Takes what arrives before the end of that minute, earliest first. */
  readonly takeMinute: (timeMs: number) => readonly SimulatedMessage[]
  /** Takes everything still under way, earliest first. */
  readonly takeRest: () => readonly SimulatedMessage[]
}

function arrivalMs({ timeMs, delayMs }: SimulatedMessage): number {
  return timeMs + delayMs
}

function inOrder(messages: SimulatedMessage[]): readonly SimulatedMessage[] {
  return messages.sort((left, right) => arrivalMs(left) - arrivalMs(right))
}

/**
 * Orders messages by arrival minute by minute. It holds at most what is under way: a few seconds
 * of traffic, and what devices buffer while they are offline.
 */
export function createArrivals(): Arrivals {
  const byMinute = new Map<number, SimulatedMessage[]>()

  function measure(devices: readonly SimulatedDevice[], timeMs: number): void {
    for (const device of devices) {
      const message = device.step(timeMs)
      if (message === undefined) continue
      const minute = Math.floor(arrivalMs(message) / minuteMs)
      const bucket = byMinute.get(minute)
      if (bucket === undefined) byMinute.set(minute, [message])
      else bucket.push(message)
    }
  }

  function takeMinute(timeMs: number): readonly SimulatedMessage[] {
    const minute = Math.floor(timeMs / minuteMs)
    const bucket = byMinute.get(minute)
    byMinute.delete(minute)
    return bucket === undefined ? [] : inOrder(bucket)
  }

  function takeRest(): readonly SimulatedMessage[] {
    const rest = inOrder([...byMinute.values()].flat())
    byMinute.clear()
    return rest
  }
  return { measure, takeMinute, takeRest }
}
