import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRoute, type Route, routeUrl } from './route.ts'
import { rangeBounds, rangePresets } from './time-range.ts'

const word = fc.stringMatching(/^[A-Za-z0-9 ._:&=?#/%-]{0,20}$/)
const items = fc.uniqueArray(fc.constantFrom('CRITICAL', 'HIGH', 'MEDIUM', 'LOW'))
const range = fc.oneof(
  fc.record({ kind: fc.constant('preset' as const), preset: fc.constantFrom(...rangePresets) }),
  fc
    .tuple(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 1, max: 1e10 }))
    .map(([fromMs, length]) => ({ kind: 'fixed' as const, fromMs, toMs: fromMs + length })),
)
const route: fc.Arbitrary<Route> = fc.oneof(
  fc.record({
    page: fc.constant('work' as const),
    filters: fc.record({
      severity: items,
      site: word,
      isSuppressedShown: fc.boolean(),
      alert: word,
    }),
  }),
  fc.record({
    page: fc.constant('fleet' as const),
    filters: fc.record({ health: items, site: word, model: word, search: word }),
  }),
  fc.record({
    page: fc.constant('dead-letters' as const),
    filters: fc.record({
      reason: word,
      device: word,
      status: fc.constantFrom('new', 'replayed', 'discarded', 'all'),
      letter: word,
    }),
  }),
  fc.record({
    page: fc.constant('contracts' as const),
    filters: fc.record({ contract: word }),
  }),
  fc.record({
    page: fc.constant('device' as const),
    // A path segment of dots alone is a direction in every URL, encoded or not.
    deviceId: word.filter((id) => !/^\.{0,2}$/.test(id)),
    range,
  }),
)

describe('the URL of a page', () => {
  it('holds page, filters and time range: reading it back gives the same page', () => {
    fc.assert(
      fc.property(route, (wanted) => {
        const url = new URL(routeUrl(wanted), 'http://localhost')
        expect(parseRoute(url.pathname, url.search)).toEqual(wanted)
      }),
    )
  })
  it('is short for a page without filters', () => {
    expect(routeUrl(parseRoute('/', ''))).toBe('/')
    expect(routeUrl(parseRoute('/fleet', ''))).toBe('/fleet')
    expect(routeUrl(parseRoute('/devices/REF-1', ''))).toBe('/devices/REF-1')
  })
  it('falls back to the last day for a range that makes no sense', () => {
    for (const query of ['?range=9y', '?from=x&to=y', '?from=2026-02-02&to=2026-02-01']) {
      expect(parseRoute('/devices/a', query)).toMatchObject({ range: { preset: '24h' } })
    }
  })
  it('names a page that does not exist', () => {
    expect(parseRoute('/nowhere', '')).toEqual({ page: 'unknown', path: '/nowhere' })
  })
})

describe('a time range', () => {
  it('moves on once a minute, so that a page does not ask each second', () => {
    const at = Date.UTC(2026, 1, 15, 10, 0, 1)
    const preset = { kind: 'preset', preset: '6h' } as const
    expect(rangeBounds(preset, at)).toEqual(rangeBounds(preset, at + 58_000))
    expect(rangeBounds(preset, at).toMs - rangeBounds(preset, at).fromMs).toBe(6 * 3_600_000)
  })
})
