import type { FeaturesView } from 'isotherm/http'
import { describe, expect, it } from 'vitest'
import { featureRows, windowWord } from './feature-rows.ts'
import { exampleContributor } from './test-support.ts'

type Feature = FeaturesView['windows'][number]['features'][number]

const { weight: _weight, direction: _direction, ...base } = exampleContributor

function rowsOf(features: readonly Feature[]) {
  return featureRows({
    window_start: '2026-02-15T09:00:00.000Z',
    window_end: '2026-02-15T10:00:00.000Z',
    window_duration_minutes: 60,
    reading_count: 60,
    sensor_completeness: 1,
    operating_mode: null,
    is_final: true,
    features: [...features],
  })
}

describe('features against normal', () => {
  it('are sorted by how unusual they are, unknown ones last', () => {
    const rows = rowsOf([
      { ...base, feature: 'usual', value: -22 },
      { ...base, feature: 'missing', value: null },
      { ...base, feature: 'far', value: 30 },
      { ...base, feature: 'unknown', normal: null },
      { ...base, feature: 'outside', value: -17 },
    ])
    expect(rows.map(({ feature }) => feature).slice(0, 3)).toEqual(['far', 'outside', 'usual'])
    expect(
      rows
        .slice(3)
        .map(({ feature }) => feature)
        .toSorted(),
    ).toEqual(['missing', 'unknown'])
    expect(rows.filter(({ isOutside }) => isOutside)).toHaveLength(2)
  })
  it('name window lengths as people do', () => {
    expect([15, 60, 120, 1440].map(windowWord)).toEqual(['15 min', 'hour', '2 h', 'day'])
  })
})
