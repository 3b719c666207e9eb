import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { simulator } from './index.ts'

const startMs = Date.UTC(2026, 0, 15)
const dayMs = 86_400_000
const devices = simulator.devices({ count: 200, seed: 3 })

describe('planFaults', () => {
  test('gives the share of devices one fault each, inside the span, the failure before its end', () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, share) => {
        const endMs = startMs + 20 * dayMs
        const plans = simulator.planFaults({ devices, seed, startMs, endMs, share })
        expect(plans).toHaveLength(Math.round(200 * share))
        expect(new Set(plans.map(({ deviceId }) => deviceId)).size).toBe(plans.length)
        for (const { mode, onsetMs, failureMs } of plans) {
          const { failsUnit, hoursToFailure } = simulator.modes.find(({ name }) => name === mode)!
          expect(onsetMs).toBeGreaterThanOrEqual(startMs)
          expect(failureMs !== undefined).toBe(failsUnit)
          const hours = ((failureMs ?? onsetMs) - onsetMs) / 3_600_000
          expect(hours).toBeGreaterThanOrEqual(0.74 * hoursToFailure)
          expect(hours).toBeLessThanOrEqual(1.41 * hoursToFailure)
          expect(failureMs ?? onsetMs).toBeLessThanOrEqual(endMs)
        }
      }),
      { numRuns: 40 },
    )
  })

  test('is reproducible, and every usual mode occurs about equally often', () => {
    const options = { devices, seed: 7, startMs, endMs: startMs + 20 * dayMs, share: 0.5 }
    const plans = simulator.planFaults(options)
    expect(simulator.planFaults(options)).toEqual(plans)
    expect(simulator.planFaults({ ...options, seed: 8 })).not.toEqual(plans)
    const counts = Object.values(Object.groupBy(plans, ({ mode }) => mode)).map(
      (own) => own?.length,
    )
    expect(counts).toHaveLength(16)
    expect(Math.max(...counts.map(Number)) - Math.min(...counts.map(Number))).toBeLessThanOrEqual(1)
    expect(plans.some(({ mode }) => mode === 'firmware_rescale')).toBe(false)
  })

  test('a firmware roll-out hits its devices at one moment', () => {
    const plans = simulator.planFaults({
      ...{ devices, seed: 7, startMs, endMs: startMs + dayMs, share: 0.8 },
      modes: ['firmware_rescale'],
    })
    expect(plans).toHaveLength(160)
    expect(new Set(plans.map(({ onsetMs }) => onsetMs)).size).toBe(1)
  })

  test('an unknown mode or an empty span is refused', () => {
    const options = { devices, seed: 7, startMs, endMs: startMs + dayMs, share: 0.5 }
    expect(() => simulator.planFaults({ ...options, modes: ['x'] })).toThrow(/expected known modes/)
    expect(() => simulator.planFaults({ ...options, endMs: startMs })).toThrow(
      /end after the start/,
    )
  })
})
