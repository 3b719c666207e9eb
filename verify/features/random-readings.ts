import { refrigeration } from '@isotherm/fleet-refrigeration'

/** A clean reading as the checks of features make it. */
export type Reading = {
  readonly device: string
  readonly at: number
  readonly values: Readonly<Record<string, number | boolean | null>>
  readonly isFlagged: boolean
}

/** Uniform numbers in [0, 1) from a seed (Steele, Lea & Flood 2014, SplitMix with 32 bits). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** What an hour of a device is like. */
const kinds = ['whole', 'short gaps', 'long gap', 'constant', 'sparse', 'silent'] as const

/**
 * Readings with nulls, gaps, duplicates (two rows of one minute), constants and resets (values that
 * jump back to the start of their range), seconds off the full minute, 2 decimals.
 */
export function randomReadings(
  deviceCount: number,
  hours: number,
  startMs: number,
  seed: number,
): readonly Reading[] {
  const random = randomNumbers(seed)
  const readings: Reading[] = []
  for (let device = 0; device < deviceCount; device++) {
    for (let hour = 0; hour < hours; hour++) {
      // The first devices have no long gaps: their days have a spectrum.
      const kind = kinds[Math.floor(random() * (device < 3 ? 2 : kinds.length))] ?? 'whole'
      const period = 3 + Math.floor(random() * 25)
      const nullShare = random() < 0.5 ? 0 : 0.15
      for (let minute = 0; minute < 60; minute++) {
        if (kind === 'silent' || (kind === 'sparse' && random() < 0.8)) continue
        if (kind === 'long gap' && minute >= 20 && minute < 25) continue
        const isInner = minute > 0 && minute < 59
        if (kind === 'short gaps' && isInner && minute % 7 < 2 && random() < 0.5) continue
        const copies = random() < 0.05 ? 2 : 1
        for (let copy = 0; copy < copies; copy++) {
          const at = startMs + hour * hourMs + minute * minuteMs + Math.floor(random() * 60) * 1000
          const shape = kind === 'constant' ? 0.5 : (minute % period) / period
          readings.push({
            device: `D-${String(device).padStart(3, '0')}`,
            at,
            isFlagged: random() < 0.1,
            values: valuesOf(random, shape, kind === 'constant', device < 3 ? 0 : nullShare),
          })
        }
      }
    }
  }
  return readings
}

function valuesOf(random: () => number, shape: number, isConstant: boolean, nullShare: number) {
  const values: Record<string, number | boolean | null> = {}
  for (const { name, kind, range } of refrigeration.sensors) {
    const [low, high] = range ?? [0, 1]
    const noise = isConstant ? 0 : random() * 0.3
    const value = Math.round((low + (high - low) * (shape * 0.7 + noise)) * 100) / 100
    if (random() < nullShare) values[name] = null
    else values[name] = kind === 'boolean' ? random() < 0.3 : value
  }
  return values
}
