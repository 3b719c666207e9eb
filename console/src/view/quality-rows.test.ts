import type { GateEntryView, QualityPart, QualityView } from 'isotherm/http'
import { describe, expect, it } from 'vitest'
import { gateLines, partLines, qualitySentence, shareText } from './quality-rows.ts'

const part = (changes: Partial<QualityPart> = {}): QualityPart => ({
  ...{ site_id: null, site_name: null, firmware_version: null, device_count: 2 },
  ...{ reading_count: 200, flags: {}, null_rates: {}, quarantined_count: 1, waiting_count: 0 },
  ...{ dead_letter_count: 2, weak_sensor_count: 0, dead_sensor_count: 0, open_gate_ids: [] },
  state: 'good',
  ...changes,
})

const gate = (changes: Partial<GateEntryView> = {}): GateEntryView => ({
  ...{ entry_id: 'g1', gate_id: 'E2.7', table: 'clean_sensor_readings', severity: 'WARN' },
  ...{ site_id: 'north', firmware_version: '3.5', status: 'open', holds: 'nothing' },
  ...{ opened_at: '2026-02-16T00:00:00.000Z', last_failed_at: '2026-02-16T00:00:00.000Z' },
  ...{ failure_count: 1, value: 0.0731, limit: 0.05, row_count: 10, detail: null },
  ...{ decision: null, cleared_at: null, cleared_by: null, note: null },
  ...changes,
})

const view = (changes: Partial<QualityView> = {}): QualityView => ({
  ...{ generated_at: '2026-02-16T00:00:00.000Z', from: '2026-02-09T00:00:00.000Z', days: 7 },
  ...{ fleet: 'example', total: part(), sites: [], firmware: [], slices: [], sensors: [] },
  ...{ gates: [], expectations: [] },
  ...changes,
})

describe('gates of the quality page', () => {
  it('come with those first that hold something back, and leave out what is closed', () => {
    const lines = gateLines(
      view({
        gates: [
          gate(),
          gate({ entry_id: 'g2', holds: 'rows', row_count: 960, firmware_version: '' }),
          gate({ entry_id: 'g3', status: 'cleared' }),
        ],
      }),
    )
    expect(lines.map(({ entryId }) => entryId)).toEqual(['g2', 'g1'])
    expect(lines[0]).toMatchObject({ where: 'north', isHeld: true, isDecidable: true })
    expect(lines[0]?.effect).toContain('960 rows wait')
    expect(lines[1]).toMatchObject({
      where: 'north, firmware 3.5',
      found: '7.31 %, at most 5.00 %',
    })
  })

  it('offer no decision while one is under way', () => {
    const [line] = gateLines(view({ gates: [gate({ holds: 'rows', decision: 'release' })] }))
    expect(line).toMatchObject({ isDecidable: false, effect: 'release is under way' })
  })
})

describe('parts of the fleet', () => {
  it('are named by site, firmware or both, with the share of rows out of range', () => {
    const site = part({ site_id: 's', site_name: 'Shop', flags: { RANGE_VIOLATION: 10 } })
    const both = part({ site_id: 's', firmware_version: '' })
    const shown = view({ sites: [site], slices: [both] })
    expect(partLines(shown, 'site')).toMatchObject([
      { name: 'Shop', outsideShare: 0.05, asideCount: 3 },
    ])
    expect(partLines(shown, 'both')).toMatchObject([{ name: 's, not known' }])
    expect(partLines(shown, 'firmware')).toEqual([])
  })
})

describe('the sentence over the page', () => {
  it('says whether anything stands still', () => {
    expect(qualitySentence(view())).toBe('No gate is open; 200 readings in 7 days.')
    const held = view({ gates: [gate()], sites: [part({ state: 'held' })] })
    expect(qualitySentence(held)).toBe('1 gate open, 1 site held back; 200 readings in 7 days.')
  })

  it('shows small shares with two digits', () => {
    expect([0, 0.0012, 0.5].map(shareText)).toEqual(['0 %', '0.12 %', '50 %'])
  })
})
