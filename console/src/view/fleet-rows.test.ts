import fc from 'fast-check'
import type { Overview } from 'isotherm/http'
import { describe, expect, it } from 'vitest'
import { filterRows, fleetRows, fleetSentence, healthCounts, rankedSites } from './fleet-rows.ts'
import { cellAt, honeycomb } from './honeycomb.ts'
import { noFleetFilters } from './route.ts'

function overview(count: number, siteCount: number): Overview {
  const devices = Array.from({ length: count }, (_, index) => index)
  return {
    as_of: '2026-02-15T10:00:00.000Z',
    sites: Array.from({ length: siteCount }, (_, index) => ({
      site_id: `S${index}`,
      site_name: `Site ${index}`,
      region: 'north',
      device_count: Math.ceil(count / siteCount),
      devices_in_alert: index % 3,
      avg_anomaly_score: index / 100,
      health_status: 'healthy' as const,
    })),
    models: ['A', 'B'],
    health_statuses: ['critical', 'warning', 'offline', 'healthy'],
    device_id: devices.map((index) => `REF-${String(index).padStart(5, '0')}`),
    site: devices.map((index) => index % siteCount),
    model: devices.map((index) => index % 2),
    health: devices.map((index) => (index % 10 === 0 ? index % 3 : 3)),
    score: devices.map((index) => (index % 7 === 0 ? null : (index % 100) / 100)),
    trend: devices.map(() => null),
    open_alert_count: devices.map((index) => (index % 10 === 0 ? 1 : 0)),
  }
}

describe('the fleet at a glance', () => {
  const rows = fleetRows(overview(200, 5))

  it('lists the worst first and loses nobody', () => {
    expect(rows).toHaveLength(200)
    const ranks = rows.map(({ health }) =>
      ['critical', 'warning', 'offline', 'healthy'].indexOf(health),
    )
    expect(ranks).toEqual(ranks.toSorted((a, b) => a - b))
  })
  it('counts states so that they add up', () => {
    const counts = Object.values(healthCounts(rows)).reduce((sum, count) => sum + count, 0)
    expect(counts).toBe(200)
    expect(fleetSentence(rows, 'cabinet')).toMatch(/^200 cabinets, \d+ critical, \d+ warning/)
    expect(fleetSentence([], 'cabinet')).toBe('0 cabinets, all behave as usual')
  })
  it('filters by health, site, model and search together', () => {
    const found = filterRows(rows, {
      health: ['healthy'],
      site: 'S1',
      model: 'A',
      search: 'ref-00',
    })
    expect(found.length).toBeGreaterThan(0)
    for (const row of found) {
      expect([row.health, row.siteId, row.model]).toEqual(['healthy', 'S1', 'A'])
    }
    expect(filterRows(rows, noFleetFilters)).toHaveLength(200)
    expect(filterRows(rows, { ...noFleetFilters, search: 'site 3' })).toHaveLength(40)
  })
  it('ranks sites by units in alert, then score, and leaves out those without', () => {
    expect(rankedSites(overview(60, 6)).map(({ siteId }) => siteId)).toEqual([
      'S5',
      'S2',
      'S4',
      'S1',
    ])
  })
})

describe('the honeycomb', () => {
  it('places every unit inside the picture and no two on the same spot', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 900 }),
        fc.integer({ min: 1, max: 80 }),
        fc.integer({ min: 280, max: 1400 }),
        (count, siteCount, width) => {
          const comb = honeycomb(fleetRows(overview(count, siteCount)), width)
          expect(comb.rows).toHaveLength(count)
          const spots = new Set<string>()
          for (let cell = 0; cell < count; cell++) {
            const x = comb.x[cell] ?? -1
            const y = comb.y[cell] ?? -1
            expect(x).toBeGreaterThanOrEqual(0)
            expect(x).toBeLessThanOrEqual(width)
            expect(y).toBeLessThanOrEqual(comb.height)
            spots.add(`${x} ${y}`)
          }
          expect(spots.size).toBe(count)
        },
      ),
      { numRuns: 60 },
    )
  })
  it('finds the unit under the pointer and nothing beside it', () => {
    const comb = honeycomb(fleetRows(overview(300, 12)), 900)
    for (const cell of [0, 17, 150, 299]) {
      expect(cellAt(comb, comb.x[cell] ?? 0, comb.y[cell] ?? 0)).toBe(cell)
    }
    expect(cellAt(comb, -50, -50)).toBe(-1)
  })
  it('lays out 10,000 units within a frame or two', () => {
    const rows = fleetRows(overview(10_000, 400))
    const before = performance.now()
    honeycomb(rows, 1200)
    // A frame is 16 ms; the bound leaves room for a busy machine.
    expect(performance.now() - before).toBeLessThan(200)
  })
})
