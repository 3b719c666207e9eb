import { describe, expect, test } from 'vitest'
import { firings, repeat, runRule, type Sample } from '../testing/rule-run.ts'
import { totalCoolingLoss } from './total-cooling-loss.ts'

const cold: Sample = { temperature_evaporator: -25, defrost_cycle: false, door_open_close: false }

/** Readings that warm by `rate` a minute, after -25 °C. */
function rise(rate: number, minutes: number, rest: Sample = {}): readonly Sample[] {
  return Array.from({ length: minutes }, (_, index) => ({
    ...cold,
    temperature_evaporator: -25 + rate * (index + 1),
    ...rest,
  }))
}

describe('TOTAL_COOLING_LOSS (SRV-19)', () => {
  test('is pending at the first fast step and fires when the rise has lasted 3 min', () => {
    const verdicts = runRule(totalCoolingLoss, [cold, cold, ...rise(2.5, 4)])
    expect(verdicts.map(({ phase }) => phase)).toEqual([
      ...['idle', 'idle', 'pending', 'pending', 'firing', 'firing'],
    ])
    expect(verdicts[4]?.reason).toBe(
      'Evaporator warmed from -25.0 to -17.5 °C in 3 min, faster than the limit of 2 °C/min',
    )
    expect(firings(verdicts)).toEqual([4])
  })

  test('2 °C a minute is not faster than 2, and one slow step starts over', () => {
    expect(firings(runRule(totalCoolingLoss, [cold, ...rise(2, 10)]))).toEqual([])
    const [first, second] = rise(2.5, 2)
    const broken = [cold, first, second, second, ...rise(2.5, 4).slice(2)] as Sample[]
    expect(firings(runRule(totalCoolingLoss, broken))).toEqual([])
  })

  test('a missing temperature is bridged, a longer gap starts over', () => {
    const [a, b, c, d] = rise(2.5, 4) as [Sample, Sample, Sample, Sample]
    const bridged = [cold, a, { ...b, temperature_evaporator: null }, c]
    expect(firings(runRule(totalCoolingLoss, bridged))).toEqual([3])
    const gap = [cold, a, b, { ...c, minute: 5 }, { ...d, minute: 6 }]
    expect(firings(runRule(totalCoolingLoss, gap))).toEqual([])
  })

  test('is not judged in a defrost nor 15 min after it', () => {
    const defrost = rise(2.8, 30, { defrost_cycle: true })
    expect(firings(runRule(totalCoolingLoss, [cold, ...defrost]))).toEqual([])
    const after = (minutes: number) => [
      ...[cold, ...defrost, ...repeat(minutes, cold)],
      ...rise(2.5, 3),
    ]
    expect(firings(runRule(totalCoolingLoss, after(11)))).toEqual([])
    expect(firings(runRule(totalCoolingLoss, after(14)))).toEqual([47])
  })

  test('a defrost of over 60 min is judged: the heater is stuck', () => {
    const hot = { ...cold, defrost_cycle: true, temperature_evaporator: 8 }
    const stuck = [...repeat(60, hot), ...rise(2.5, 4, { defrost_cycle: true })]
    const warm = stuck.map((sample, index) =>
      index < 60 ? sample : { ...sample, temperature_evaporator: 8 + 2.5 * (index - 59) },
    )
    expect(firings(runRule(totalCoolingLoss, warm))).toEqual([62])
    const normal = warm.slice(20)
    expect(firings(runRule(totalCoolingLoss, normal))).toEqual([])
  })

  test('an open door takes 5 min, an unknown defrost 6', () => {
    const open = [cold, ...rise(2.5, 6, { door_open_close: true })]
    expect(firings(runRule(totalCoolingLoss, open))).toEqual([5])
    const unknown = rise(2.5, 8).map(({ temperature_evaporator }) => ({ temperature_evaporator }))
    const start = { temperature_evaporator: -25 } as Sample
    expect(firings(runRule(totalCoolingLoss, [start, ...(unknown as Sample[])]))).toEqual([6])
  })

  test('ends when it warms by at most 0.5 °C a minute for 5 min', () => {
    const end = { ...cold, temperature_evaporator: -10 }
    const calm = [cold, ...rise(2.5, 6), ...repeat(6, end)]
    const phases = runRule(totalCoolingLoss, calm).map(({ phase }) => phase)
    expect(phases.slice(-3)).toEqual(['firing', 'idle', 'idle'])
  })

  test('a replay cannot fire, and without the sensor the rule is inactive', () => {
    const replay = rise(2.5, 6).map((sample) => ({ ...sample, late: true }))
    expect(firings(runRule(totalCoolingLoss, [cold, ...replay]))).toEqual([])
    const [verdict] = runRule(totalCoolingLoss, [{ defrost_cycle: false }])
    expect(verdict?.phase).toBe('inactive')
  })
})
