import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { firings, repeat, runRule, type Sample } from '../testing/rule-run.ts'
import { vibrationSpike } from './vibration-spike.ts'

function vibration(value: number, current = 12): Sample {
  return { vibration_compressor: value, current_compressor: current }
}

/** 24 h of history: 20 min running at 3 mm/s, 10 min off. */
const day: readonly Sample[] = Array.from({ length: 1445 }, (_, minute) =>
  minute % 30 < 20 ? vibration(3) : vibration(0.3, 0),
)

/** The mean as SRV-17 defines it, straight from the readings. */
function naiveMean(samples: readonly Sample[], at: number, limit: number): number {
  const bucket = Math.floor(at / 5)
  const used = samples
    .slice(0, at)
    .filter((_, minute) => Math.floor(minute / 5) >= bucket - 288)
    .slice(0, (bucket - 1) * 5 - Math.max(0, (bucket - 288) * 5))
    .filter(({ current_compressor }) => Number(current_compressor) >= 0.5)
    .map(({ vibration_compressor }) => Number(vibration_compressor))
    .filter((value) => value <= limit)
  return used.reduce((sum, value) => sum + value, 0) / used.length
}

describe('VIBRATION_SPIKE (SRV-17)', () => {
  test('fires above three times the own mean of running readings', () => {
    const verdicts = runRule(vibrationSpike, [...day, vibration(9), vibration(9.1)])
    expect(firings(verdicts)).toEqual([day.length + 1])
    expect(verdicts.at(-1)?.reason).toBe(
      'Compressor vibration is 9.1 mm/s, above the limit of 9.0 mm/s, usual is 3.0 mm/s',
    )
  })

  test('a quiet compressor needs more than the floor of 4.5 mm/s', () => {
    const quiet = repeat(1445, vibration(1))
    expect(firings(runRule(vibrationSpike, [...quiet, vibration(4.4)]))).toEqual([])
    expect(firings(runRule(vibrationSpike, [...quiet, vibration(4.6)]))).toEqual([1445])
  })

  test('while warming only 20 mm/s count: less than 24 h, or fewer than 360 running readings', () => {
    const short = [...day.slice(0, 1400), vibration(19), vibration(21)]
    const resting = [...repeat(355, vibration(3)), ...repeat(1200, vibration(0.3, 0))]
    const verdicts = runRule(vibrationSpike, short)
    expect(verdicts[0]?.phase).toBe('warming')
    expect(firings(verdicts)).toEqual([1401])
    expect(firings(runRule(vibrationSpike, [...resting, vibration(19)]))).toEqual([])
  })

  test('breaches do not raise the mean they are judged by', () => {
    const verdicts = runRule(vibrationSpike, [...day, ...repeat(600, vibration(12))])
    expect(firings(verdicts)).toEqual([day.length])
    expect(verdicts.at(-1)?.phase).toBe('firing')
  })

  test('fires again only after 5 running readings of at most twice the mean', () => {
    const spike = vibration(12)
    const rest = repeat(20, vibration(0.3, 0))
    const resting = [...day, spike, ...rest, spike]
    expect(firings(runRule(vibrationSpike, resting))).toEqual([day.length])
    const calm = [...day, spike, ...repeat(5, vibration(5.9)), spike]
    expect(firings(runRule(vibrationSpike, calm))).toEqual([day.length, day.length + 6])
  })

  test('the mean equals the mean of the readings of (t-24 h, t-5 min]', () => {
    const wave = fc.array(fc.double({ min: 1, max: 6, noNaN: true }), {
      minLength: 1500,
      maxLength: 1500,
    })
    fc.assert(
      fc.property(wave, fc.integer({ min: 0, max: 59 }), (values, extra) => {
        const samples = values.slice(0, 1441 + extra).map((value) => vibration(value))
        const at = samples.length
        const mean = naiveMean(samples, at, 20)
        const [above, below] = [3.001, 2.999].map((factor) => vibration(factor * mean))
        expect(firings(runRule(vibrationSpike, [...samples, above as Sample]))).toEqual([at])
        expect(firings(runRule(vibrationSpike, [...samples, below as Sample]))).toEqual([])
      }),
      { numRuns: 8 },
    )
  })

  test('a replay joins the history and cannot fire; a reading 2 min old joins unjudged', () => {
    const replay = day.map((sample) => ({ ...sample, late: true }))
    expect(firings(runRule(vibrationSpike, [...replay, vibration(10)]))).toEqual([day.length])
    const late = { ...vibration(50), late: true }
    const old = { ...vibration(50), minute: day.length - 2 }
    expect(firings(runRule(vibrationSpike, [...day, late, old]))).toEqual([])
  })

  test('is inactive without the sensor, as on firmware before 3.0 (ING-51)', () => {
    const verdicts = runRule(vibrationSpike, repeat(3, { current_compressor: 12 }))
    expect(verdicts.map(({ phase }) => phase)).toEqual(['inactive', 'inactive', 'inactive'])
  })
})
