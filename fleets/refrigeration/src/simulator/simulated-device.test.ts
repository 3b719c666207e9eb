import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { absentSensors } from '../firmware.ts'
import { sensors } from '../sensors.ts'
import { numbers, observe } from '../testing/series.ts'
import { simulator } from './index.ts'
import { asciiBytes, createMessageWriter } from './message-writer.ts'

const startMs = Date.UTC(2026, 0, 15)
const minuteMs = 60_000
const devices = simulator.devices({ count: 60, seed: 5 })

function payloads(index: number, minutes: number, seed = 5): readonly string[] {
  const simulated = simulator.device({ device: devices[index]!, seed, startMs, faults: [] })
  return Array.from({ length: minutes }, (_, m) => simulated.step(startMs + m * minuteMs)!.payload)
}

describe('registry rows', () => {
  test('same seed, same fleet; a larger fleet begins with the smaller one', () => {
    expect(simulator.devices({ count: 60, seed: 5 })).toEqual(devices)
    expect(simulator.devices({ count: 20, seed: 5 })).toEqual(devices.slice(0, 20))
    expect(devices[0]?.device_id).toBe('REF-TEST-00000')
    expect(simulator.devices({ count: 1, seed: 1, idPrefix: 'COOL' })[0]?.device_id).toBe(
      'COOL-00000',
    )
  })

  test('cover several models, zones, sites and firmware versions, valid before any history', () => {
    const rows = simulator.devices({ count: 500, seed: 1 })
    const distinct = (key: 'model' | 'climate_zone' | 'site_id' | 'firmware_version') =>
      new Set(rows.map((row) => row[key])).size
    expect([distinct('model'), distinct('climate_zone'), distinct('firmware_version')]).toEqual([
      4, 3, 4,
    ])
    expect(distinct('site_id')).toBe(Math.ceil(500 / 12))
    for (const row of rows) {
      expect(row.valid_from).toBeLessThan(Date.UTC(2025, 0, 1))
      expect(row.cohort_id).toBe(`${row.model}/${row.climate_zone}`)
    }
  })
})

describe('messages', () => {
  test('a device is the same whoever runs beside it, and repeats byte by byte', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 1 }), (order) => {
        const simulated = order.map((index) =>
          simulator.device({ device: devices[index]!, seed: 5, startMs, faults: [] }),
        )
        const together = order.map((): string[] => [])
        for (let m = 0; m < 50; m++) {
          simulated.forEach((device, at) => {
            together[at]?.push(device.step(startMs + m * minuteMs)!.payload)
          })
        }
        order.forEach((index, at) => {
          expect(together[at]).toEqual(payloads(index, 50))
        })
      }),
      { numRuns: 10 },
    )
    expect(payloads(0, 5, 6)).not.toEqual(payloads(0, 5, 5))
    expect(payloads(0, 5, 5 + 2 ** 32)).not.toEqual(payloads(0, 5, 5))
  })

  test('carry exactly the sensors of firmware and variant, with at most two decimals (ING-51)', () => {
    for (const device of devices) {
      const absent = [
        ...absentSensors(device.firmware_version),
        ...(device.expected_sensors === null ? [] : ['humidity']),
      ]
      const expected = sensors.map(({ name }) => name).filter((name) => !absent.includes(name))
      for (const { values } of observe({ device, seed: 5, startMs, minutes: 3, nullRate: 0.3 })) {
        expect(Object.keys(values)).toEqual(expected)
        for (const value of Object.values(values)) {
          if (typeof value === 'number') expect(String(value)).toMatch(/^-?\d+(\.\d{1,2})?$/)
        }
      }
    }
  })

  test('come once a minute, 1 to 10 s late, with the time of sending beside that of reading', () => {
    const clocksOff = devices.map((device) => {
      const all = observe({ device, seed: 5, startMs, minutes: 120 })
      expect(all).toHaveLength(120)
      all.forEach(({ timeMs, delayMs, sentMs }, minute) => {
        expect(Math.floor((timeMs - startMs) / minuteMs)).toBe(minute)
        expect(delayMs).toBeGreaterThanOrEqual(1000)
        expect(delayMs).toBeLessThanOrEqual(10_001)
        expect(sentMs).toBe(timeMs + delayMs)
      })
      return Math.max(...all.map(({ timeMs, deviceMs }) => Math.abs(deviceMs - timeMs)))
    })
    expect(clocksOff.filter((error) => error > 0).length).toBeLessThan(8)
    expect(Math.max(...clocksOff)).toBeLessThan(60_000)
  })

  test('a few controllers have a clock that is off by seconds and drifts', () => {
    const rows = simulator.devices({ count: 400, seed: 9 })
    const errors = rows.map((device) => {
      const [first] = observe({ device, seed: 9, startMs, minutes: 1 })
      return Math.abs((first?.deviceMs ?? 0) - (first?.timeMs ?? 0))
    })
    const off = errors.filter((error) => error > 0)
    expect(off.length).toBeGreaterThan(3)
    expect(off.length).toBeLessThan(30)
  })

  test('the share of missing values is the one asked for', () => {
    const device = devices.find(({ firmware_version }) => firmware_version === '3.6.1')!
    for (const nullRate of [0, 0.02, 0.25]) {
      const all = observe({ device, seed: 5, startMs, minutes: 2880, nullRate })
      const values = all.flatMap(({ values: readings }) => Object.values(readings))
      const share = values.filter((value) => value === null).length / values.length
      expect(Math.abs(share - nullRate)).toBeLessThanOrEqual(0.1 * nullRate)
    }
  })

  test('sensor noise lets a value reach neither beyond its range nor stand still', () => {
    const device = devices[0]!
    const all = observe({ device, seed: 5, startMs, minutes: 1440 })
    for (const { name, range, kind } of sensors) {
      if (kind === 'boolean' || range === undefined) continue
      const values = numbers(all, name)
      if (values.length === 0) continue
      const inside = values.filter((value) => value >= range[0] && value <= range[1])
      expect(inside.length / values.length).toBeGreaterThan(0.98)
      expect(new Set(values).size).toBeGreaterThan(100)
    }
  })
})

describe('the message writer', () => {
  test('writes a decimal as the JSON of the value rounded to hundredths', () => {
    const writer = createMessageWriter()
    fc.assert(
      fc.property(fc.double({ min: -200_000, max: 200_000, noNaN: true }), (value) => {
        const rounded = (Math.sign(value) * Math.round(Math.abs(value) * 100)) / 100
        writer.begin()
        writer.decimal(value)
        expect(writer.finish()).toBe(JSON.stringify(rounded === 0 ? 0 : rounded))
      }),
      { examples: [[0], [-0.001], [9.995], [99.999], [-1000], [0.05]] },
    )
  })

  test('writes instants as toISOString does, also when time goes back', () => {
    const instants = fc.array(fc.integer({ min: 0, max: 4e12 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(instants, (times) => {
        const writer = createMessageWriter()
        for (const timeMs of times) {
          writer.begin()
          writer.instant(timeMs)
          expect(writer.finish()).toBe(new Date(timeMs).toISOString())
        }
      }),
    )
  })

  test('starts over with every text', () => {
    const writer = createMessageWriter()
    writer.bytes(asciiBytes('longer text'))
    writer.begin()
    writer.bytes(asciiBytes('short'))
    expect(writer.finish()).toBe('short')
  })
})
