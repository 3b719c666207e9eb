import { describe, expect, it } from 'vitest'
import { exampleFleet } from '../../contracts/index.ts'
import { duckdbDialect, sparkDialect } from './dialect.ts'
import { liveRowFeatures } from './live-row.ts'
import { definitionChain, featureDefinition, modelFeatureFamilies } from './model-features.ts'
import { rowFeaturesQuery } from './row-query.ts'
import { seriesQuery } from './series-query.ts'

const names = (chosen: readonly string[]) =>
  definitionChain(exampleFleet, chosen).map(({ name }) => name)

describe('model-input features', () => {
  it('say by their name what they are, with the unit of what they are made of', () => {
    expect(featureDefinition(exampleFleet, 'temp_mean_roc6')).toMatchObject({
      unit: '°C/h',
      formula: { kind: 'rate', of: 'temp_mean', windows: 6 },
    })
    expect(featureDefinition(exampleFleet, 'pressure_mean_cohort_z').unit).toBe('')
    expect(modelFeatureFamilies.map(({ pattern }) => pattern)).toContain('{f}_lag{k}')
  })

  it('bring what they build on, operands first, each once', () => {
    expect(names(['temp_mean_delta24', 'temp_mean_lag24', 'temp_mean_dev7d'])).toEqual([
      ...['temp_mean_lag24', 'temp_mean_delta24', 'temp_mean_mean7d', 'temp_mean_dev7d'],
    ])
    expect(names(['temp_mean'])).toEqual([])
  })

  it('are refused when unknown or when they would not look back', () => {
    expect(() => featureDefinition(exampleFleet, 'temp_maen_lag1')).toThrow(
      'has no feature temp_maen_lag1; see isotherm features list, or use {f}_lag{k}',
    )
    expect(() => featureDefinition(exampleFleet, 'temp_mean_lag0')).toThrow('looks 0 windows back')
    expect(() => featureDefinition(exampleFleet, 'reading_count_roc1')).not.toThrow()
  })

  it('of single readings have a query of their own, for hours and days only', () => {
    const definition = {
      ...{ name: 'starts', label: 'starts', unit: '', group: 'pressure', resolution: 1 },
      formula: { kind: 'starts', sensor: 'pressure', level: 5 } as const,
    }
    const fleet = { ...exampleFleet, modelFeatures: [definition] }
    const sources = { rows: 'r', cohorts: 'c', baselines: 'b' }
    const selection = { minutes: 60, startMs: 0, endMs: 3_600_000 }
    for (const dialect of [duckdbDialect, sparkDialect]) {
      expect(() => rowFeaturesQuery(dialect, fleet, ['starts'], sources, selection)).toThrow(
        'comes from readings',
      )
      const series = { relation: 'clean', ...selection, minutes: 15 }
      expect(() => seriesQuery(dialect, fleet, definition, series)).toThrow(
        'needs windows of 60 or 1440 min, not 15',
      )
    }
  })

  it('are null without a past, peers or a baseline', () => {
    const chosen = [
      'temp_mean_lag1',
      'temp_mean_dev7d',
      'temp_mean_cohort_diff',
      'temp_mean_cohort_z',
    ]
    const values = liveRowFeatures(exampleFleet, chosen, {
      minutes: 60,
      startMs: 0,
      values: { temp_mean: 4 },
      windowAt: () => undefined,
      cohort: () => [4],
      baseline: () => undefined,
    })
    expect(Object.values(values)).toEqual([null, null, null, null])
  })
})
