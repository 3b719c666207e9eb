import type { FeatureCatalogueView } from 'isotherm/http'
import { describe, expect, it } from 'vitest'
import { catalogueRows, catalogueSentence } from './feature-catalogue.ts'

const base = {
  ...{ label: 'mean coil temperature', unit: '°C', group: 'temperature', resolution: 0.1 },
  ...{ formula: 'arithmetic mean of coil', null_when: 'no value', sensors: ['coil'], built_on: [] },
}
const view: FeatureCatalogueView = {
  feature_version: 'abc',
  families: [],
  newest: { minutes: 60, window_end: '2026-03-10T10:00:00.000Z', row_count: 200 },
  features: [
    {
      ...{ ...base, name: 'coil_mean', kind: 'stored', null_fraction: 0.6 },
      used_by: ['model forest (60 min)', 'operating mode idle'],
      quantiles: [-30, -25, -22, -20, -18, -15, -10],
    },
    {
      ...{ ...base, name: 'season_sin', kind: 'model_input', null_fraction: null },
      ...{ used_by: [], quantiles: null },
    },
  ],
}
const all = { kind: '', search: '', feature: '' } as const

describe('the catalogue of features', () => {
  it('shows spread, nulls and readers of a stored feature', () => {
    const [row] = catalogueRows(view, all)
    expect(row).toMatchObject({
      ...{ spreadText: '−25.0 … −20.0 … −15.0 °C', nullText: '60.0 % null', isMostlyNull: true },
      ...{ models: ['forest (60 min)'], others: ['operating mode idle'] },
      bar: { low: 0.25, boxStart: 0.4, median: 0.5, boxEnd: 0.6, high: 0.75 },
    })
  })

  it('draws nothing for a feature that is not stored or does not vary', () => {
    expect(catalogueRows(view, all)[1]).toMatchObject({ bar: undefined, nullText: '' })
  })

  it('is narrowed by kind and by words in any order', () => {
    const names = (kind: typeof all.kind | 'stored', search: string) =>
      catalogueRows(view, { ...all, kind, search }).map(({ name }) => name)
    expect(names('stored', '')).toEqual(['coil_mean'])
    expect(names('', 'temperature SEASON')).toEqual(['season_sin'])
    expect(names('', 'pressure')).toEqual([])
  })

  it('says how new its picture is', () => {
    expect(catalogueSentence(view, '5 min ago')).toBe(
      '1 stored features, 1 more on demand. Newest window of 60 min: 200 units, ended 5 min ago.',
    )
    expect(catalogueSentence({ ...view, newest: null }, '')).toContain('No window')
  })
})
