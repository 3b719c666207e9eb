import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { simulator } from '../simulator/index.ts'
import { firingsOfDevice, startMs } from '../testing/rule-run.ts'
import { streamRules } from './index.ts'

const hourMs = 3_600_000
const modern = ['3.6.1', '4.0.2']

function modernDevices(seed: number, count: number) {
  return simulator
    .devices({ count: 4 * count, seed })
    .filter(({ firmware_version }) => modern.includes(firmware_version ?? ''))
    .slice(0, count)
}

/** Rule ids with the hours after onset at which they first fired, per device. */
function firstFirings(mode: string, onsetHours: number, hours: number, count: number) {
  const onsetMs = startMs + onsetHours * hourMs
  return modernDevices(3, count).map((device) => {
    const faults = [{ deviceId: device.device_id, mode, onsetMs }]
    const minutes = hours * 60
    const found = firingsOfDevice({ device, seed: 3, minutes, faults, rules: streamRules })
    expect(found.filter(({ timeMs }) => timeMs < onsetMs)).toEqual([])
    return new Map(
      found.toReversed().map(({ ruleId, timeMs }) => [ruleId, (timeMs - onsetMs) / hourMs]),
    )
  })
}

describe('stream rules on the simulated fleet', () => {
  test('never fire on a healthy unit, whatever the seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 }), (seed) => {
        for (const device of simulator.devices({ count: 2, seed })) {
          const options = { device, seed, minutes: 2880, faults: [], rules: streamRules }
          expect(firingsOfDevice(options)).toEqual([])
        }
      }),
      { numRuns: 80 },
    )
  }, 60_000)

  test('never fire on the negative controls of MON-64', () => {
    const controls = simulator.modes.filter(({ noticedBy }) => noticedBy === 'nothing')
    expect(controls).toHaveLength(5)
    for (const { name } of controls) {
      for (const found of firstFirings(name, 30, 48, 4)) expect([name, ...found]).toEqual([name])
    }
  })

  test('VIBRATION_SPIKE finds the compressor damage within minutes of running', () => {
    for (const found of firstFirings('compressor_vibration_spike', 30, 32, 10)) {
      expect(found.get('VIBRATION_SPIKE')).toBeLessThan(1)
    }
  })

  test('a seizure fires COMPRESSOR_OVERLOAD, then TOTAL_COOLING_LOSS, before the goods suffer', () => {
    const found = firstFirings('compressor_seizure', 10, 12, 20)
    const overloads = found.filter((rules) => rules.has('COMPRESSOR_OVERLOAD'))
    const losses = found.filter((rules) => rules.has('TOTAL_COOLING_LOSS'))
    // A locked rotor draws 47 A give or take the unit's spread: most cross the limit, not all.
    expect(overloads.length).toBeGreaterThanOrEqual(12)
    expect(losses.length).toBeGreaterThanOrEqual(15)
    const inTime = found.filter((rules) => Math.min(...rules.values()) < 0.5)
    expect(inTime.length).toBeGreaterThanOrEqual(19)
  })

  test('ACUTE_PRESSURE_LOSS finds a sudden leak within its 45 min', () => {
    const found = firstFirings('acute_leak', 10, 12, 20)
    const alerted = found.filter((rules) => (rules.get('ACUTE_PRESSURE_LOSS') ?? 9) < 0.75)
    expect(alerted.length).toBeGreaterThanOrEqual(19)
  })

  test('a defrost that does not end fires TOTAL_COOLING_LOSS after the guard lifts', () => {
    for (const found of firstFirings('stuck_defrost', 10, 13, 10)) {
      expect(found.get('TOTAL_COOLING_LOSS')).toBeGreaterThan(1)
      expect(found.get('TOTAL_COOLING_LOSS')).toBeLessThan(1.5)
    }
  })

  test('the rule set stays threshold logic of under 200 lines (SRV-13)', () => {
    const files = ['compressor-overload', 'vibration-spike', 'acute-pressure-loss']
    const lines = [...files, 'total-cooling-loss'].flatMap((name) => {
      const source = readFileSync(new URL(`./${name}.ts`, import.meta.url), 'utf8')
      const logic = source.replace(/^type State = \{[^}]*\}/m, '')
      return logic.split('\n').filter((line) => !/^\s*(\/\/|\/?\*|$|import |type )/.test(line))
    })
    expect(lines.length).toBeLessThan(200)
  })
})
