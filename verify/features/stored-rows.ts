import type { StoredRow } from './naive-rows.ts'
import { randomNumbers } from './random-readings.ts'

const hourMs = 3_600_000

/** Cohorts too small, small (leave-one-out) and large, by number of 140 devices. */
export const cohortOf = (device: string): string => {
  const number = Number(device.slice(2))
  if (number < 8) return 'tiny'
  return number < 30 ? 'small' : 'large'
}

/**
 * Hourly rows of 8 days and daily rows of 34 days with gaps and nulls. The first 10 devices have
 * their whole past, the others the newest hour only.
 */
export function randomRows(endMs: number, seed: number): readonly StoredRow[] {
  const random = randomNumbers(seed)
  const rows: StoredRow[] = []
  for (let number = 0; number < 140; number++) {
    const device = `D-${String(number).padStart(3, '0')}`
    const spans =
      number < 10
        ? ([
            [60, 8 * 24],
            [1440, 34],
          ] as const)
        : ([[60, 1]] as const)
    // The second device has little of its past.
    const missing = number === 1 ? 0.7 : 0.1
    for (const [minutes, count] of spans) {
      for (let back = 1; back <= count; back++) {
        const startMs =
          Math.floor(endMs / (minutes * 60_000)) * minutes * 60_000 - back * minutes * 60_000
        if (startMs < endMs - hourMs && random() < missing) continue
        const value = random() < 0.1 ? null : Math.round(random() * 1e4) / 100
        rows.push({ device, minutes, startMs, value })
      }
    }
  }
  return rows
}
