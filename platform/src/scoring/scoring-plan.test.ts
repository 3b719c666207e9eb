import { describe, expect, it } from 'vitest'
import type { DeploymentRow } from '../models/index.ts'
import { isStale, positionName, scoringUnits, startAfterMs } from './scoring-plan.ts'

const hourMs = 3_600_000
const row = (model_version: string, more: Partial<DeploymentRow> = {}): DeploymentRow => ({
  model_id: 'isolation_forest',
  granularity: 'fleet',
  window_duration_minutes: 60,
  slice: '*',
  model_version,
  deployment_role: 'champion',
  traffic_fraction: 1,
  effective_from: '2026-01-01T00:00:00.000Z',
  effective_to: null,
  set_by: 'test',
  reason: 'test',
  ...more,
})
const at = (...entries: readonly (readonly [DeploymentRow, number])[]) =>
  new Map(entries.map(([deployment, hour]) => [positionName(deployment), hour * 3_600]))

describe('where a version goes on (SRV-4)', () => {
  it('starts a family that never ran so far before the target', () => {
    expect(startAfterMs(row('1.0.0'), new Map(), 100 * hourMs, 24 * hourMs)).toBe(76 * hourMs)
  })

  it('never scores again what an earlier champion scored, also after a rollback', () => {
    const positions = at([row('1.0.0'), 40], [row('1.1.0'), 50])
    expect(startAfterMs(row('2.0.0'), positions, 100 * hourMs, 0)).toBe(50 * hourMs)
    expect(startAfterMs(row('1.0.0'), positions, 100 * hourMs, 0)).toBe(50 * hourMs)
  })

  it('lets a shadow go on at its own place and begin at its family’s', () => {
    const shadow = row('1.1.0', { deployment_role: 'shadow' })
    const positions = at([row('1.0.0'), 50], [shadow, 45])
    expect(startAfterMs(shadow, positions, 100 * hourMs, 0)).toBe(45 * hourMs)
    const fresh = row('1.2.0', { deployment_role: 'shadow' })
    expect(startAfterMs(fresh, positions, 100 * hourMs, 0)).toBe(50 * hourMs)
  })

  it('does not confuse durations or families', () => {
    const positions = at([row('1.0.0', { window_duration_minutes: 15 }), 50])
    expect(startAfterMs(row('1.0.0'), positions, 100 * hourMs, hourMs)).toBe(99 * hourMs)
  })
})

describe('units', () => {
  it('read windows once for versions at the same place, and skip versions that are done', () => {
    const units = scoringUnits(
      [
        { row: row('1.0.0'), afterMs: 5 },
        { row: row('1.1.0'), afterMs: 5 },
        { row: row('1.2.0'), afterMs: 3 },
        { row: row('1.3.0'), afterMs: 9 },
      ],
      9,
    )
    expect(units.map(({ afterMs, deployments }) => [afterMs, deployments.length])).toEqual([
      [5, 2],
      [3, 1],
    ])
  })
})

describe('stale features (SRV-34)', () => {
  it('are older than two hours; a daily window may be a day older', () => {
    const limit = 2 * hourMs
    expect(isStale(60, 0, 2 * hourMs, limit)).toBe(false)
    expect(isStale(60, 0, 2 * hourMs + 1, limit)).toBe(true)
    expect(isStale(1_440, 0, 26 * hourMs, limit)).toBe(false)
    expect(isStale(1_440, 0, 26 * hourMs + 1, limit)).toBe(true)
  })
})
