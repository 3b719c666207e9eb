/** What a person who knows the sensor would call it. */
export type Label = 'usable' | 'weak' | 'dead'

/** A sensor with its truth: two days of minutes, NaN where nothing came. */
export type SyntheticSensor = {
  readonly id: string
  readonly kind: string
  readonly label: Label
  readonly values: Float64Array
  readonly current: Float64Array
}

export const minutesOfSeries = 2880

/** Small fast generator (Steele, Lea & Flood 2014: SplitMix) of numbers in [0, 1). */
function random(seed: number): () => number {
  let state = BigInt(seed)
  return () => {
    state = (state + 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn
    let mixed = state
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & 0xffffffffffffffffn
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & 0xffffffffffffffffn
    return Number((mixed ^ (mixed >> 31n)) >> 11n) / 2 ** 53
  }
}

type Draw = () => number

const normal = (draw: Draw) => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw())

/**
 * A cabinet's probe: set point, sawtooth of the compressor, day and night, defrosts of 20 minutes,
 * noise, rounded to a tenth as real probes are. The machine may stand still for hours at night.
 */
function healthyProbe(draw: Draw) {
  const values = new Float64Array(minutesOfSeries)
  const current = new Float64Array(minutesOfSeries)
  const setPoint = -22 + 26 * draw()
  const period = 12 + 25 * draw()
  const swing = 0.8 + 2.5 * draw()
  const daily = 2 * draw()
  const noise = 0.05 + 0.25 * draw()
  const defrostEvery = draw() < 0.6 ? 360 + Math.floor(180 * draw()) : Number.POSITIVE_INFINITY
  const rests = draw() < 0.3
  for (let minute = 0; minute < minutesOfSeries; minute++) {
    const phase = (minute % period) / period
    const hour = (minute / 60) % 24
    const isResting = rests && hour >= 1 && hour < 4
    const defrost = minute % defrostEvery < 20 && minute >= defrostEvery ? 14 : 0
    const saw = isResting
      ? 0
      : swing * (phase < 0.6 ? 0.5 - phase / 0.6 : (phase - 0.6) / 0.4 - 0.5)
    const day = daily * Math.sin((2 * Math.PI * (hour - 9)) / 24)
    const value = setPoint + saw + day + defrost + noise * normal(draw)
    values[minute] = Math.round(value * 10) / 10
    current[minute] = isResting || phase >= 0.6 ? 0.1 : 5 + 0.4 * normal(draw)
  }
  return { values, current }
}

const span = (draw: Draw, low: number, high: number) => Math.floor(low + (high - low) * draw())

/** What goes wrong with a healthy series, in place. */
type Harm = (values: Float64Array, draw: Draw) => void

const lose =
  (low: number, high: number): Harm =>
  (values, draw) => {
    const share = low + (high - low) * draw()
    for (let at = 0; at < values.length; at++) if (draw() < share) values[at] = Number.NaN
  }

/** Outages of some minutes until a share of the series is gone. */
const outages =
  (low: number, high: number): Harm =>
  (values, draw) => {
    let missing = (low + (high - low) * draw()) * values.length
    while (missing > 0) {
      const length = span(draw, 8, 45)
      const start = span(draw, 0, values.length - length)
      values.fill(Number.NaN, start, start + length)
      missing -= length
    }
  }

const spikes =
  (low: number, high: number): Harm =>
  (values, draw) => {
    const share = low + (high - low) * draw()
    for (let at = 0; at < values.length; at++) {
      if (draw() < share) values[at] = values[at]! + (draw() < 0.5 ? -1 : 1) * (8 + 15 * draw())
    }
  }

const creep =
  (low: number, high: number): Harm =>
  (values, draw) => {
    const total = (low + (high - low) * draw()) * (draw() < 0.5 ? -1 : 1)
    for (let at = 0; at < values.length; at++) {
      values[at] = Math.round((values[at]! + (total * at) / values.length) * 10) / 10
    }
  }

/** The probe repeats itself for a share of the series, or until its end. */
const freeze =
  (low: number, high: number, untilEnd: boolean): Harm =>
  (values, draw) => {
    const length = span(draw, low * values.length, high * values.length)
    const start = untilEnd ? values.length - length : span(draw, 60, values.length - length - 120)
    values.fill(values[start]!, start, start + length)
  }

const rail =
  (low: number, high: number): Harm =>
  (values, draw) => {
    const share = low + (high - low) * draw()
    const start = Math.floor((1 - share) * values.length)
    for (let at = start; at < values.length; at++) values[at] = 850 + draw()
  }

const silence: Harm = (values) => {
  values.fill(Number.NaN, 20)
}

const none: Harm = () => undefined

/** Kinds with the state a service engineer would give them, and how many of 20. */
const catalogue: readonly (readonly [kind: string, label: Label, of20: number, harm: Harm])[] = [
  ['healthy', 'usable', 5, none],
  ['a few values lost', 'usable', 2, lose(0.005, 0.03)],
  ['small creep', 'usable', 1, creep(0.2, 1)],
  ['many values lost', 'weak', 1, lose(0.2, 0.5)],
  ['outages', 'weak', 2, outages(0.15, 0.4)],
  ['loose contact', 'weak', 2, spikes(0.01, 0.06)],
  ['drift', 'weak', 2, creep(8, 20)],
  ['stuck for hours', 'weak', 1, freeze(0.06, 0.2, false)],
  ['sometimes out of range', 'weak', 1, rail(0.05, 0.3)],
  ['silent', 'dead', 1, silence],
  ['flat from some time on', 'dead', 1, freeze(0.2, 0.9, true)],
  ['out of range', 'dead', 1, rail(0.6, 1)],
]

/** Sensors of all kinds in turn; the same seed gives the same ones. */
export function labelledSensors(count: number, seed: number): readonly SyntheticSensor[] {
  const draw = random(seed)
  const order = catalogue.flatMap(([kind, label, of20, harm]) =>
    Array.from({ length: of20 }, () => ({ kind, label, harm })),
  )
  return Array.from({ length: count }, (_, index) => {
    const { kind, label, harm } = order[index % order.length]!
    const { values, current } = healthyProbe(draw)
    harm(values, draw)
    return { id: `sensor-${String(index).padStart(3, '0')}`, kind, label, values, current }
  })
}
