import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { featureCatalogueSchema, featureDetailSchema } from './schemas/feature-schema.ts'
import { startMs, type TemporaryServer, temporaryServer, writeTable } from './test-support.ts'

let test: TemporaryServer

beforeAll(async () => {
  test = await temporaryServer()
})
afterAll(() => test.remove())

const catalogue = async () =>
  featureCatalogueSchema.parse((await test.get('/api/v1/features')).body)

describe('the catalogue of features', () => {
  it('describes each feature and its users before there is any window', async () => {
    const { newest, features } = await catalogue()
    expect(newest).toBeNull()
    expect(features.find(({ name }) => name === 'temp_mean')).toMatchObject({
      formula: 'arithmetic mean of temperature',
      null_when: 'no value in the window',
      unit: '°C',
      quantiles: null,
    })
  })

  it('shows how values are spread in the newest window, and how many are null', async () => {
    const end = startMs + 3_600_000
    await writeTable(
      test.lake,
      'device_features',
      `SELECT 'U-' || i AS device_id, make_timestamptz(${startMs}000::BIGINT) AS window_start,
        make_timestamptz(${end}000::BIGINT) AS window_end, 60 AS window_duration_minutes,
        60 AS reading_count, 1.0 AS sensor_completeness, 0 AS quality_flag_count,
        CASE WHEN i < 101 THEN i::DOUBLE END AS temp_mean, true AS is_final, '2026-02-15' AS window_date
       FROM range(202) AS t(i)`,
    )
    const { newest, features } = await catalogue()
    expect(newest).toEqual({
      ...{ minutes: 60, row_count: 202, window_end: new Date(end).toISOString() },
    })
    const mean = features.find(({ name }) => name === 'temp_mean')
    expect(mean?.null_fraction).toBe(0.5)
    expect(mean?.quantiles).toEqual([0, 5, 25, 50, 75, 95, 100])
  })

  it('gives the SQL of a feature by name, also of a family, and names what is unknown', async () => {
    const { body } = await test.get('/api/v1/features/temp_mean_lag24')
    const detail = featureDetailSchema.parse(body)
    expect(detail.built_on).toEqual(['temp_mean'])
    expect(detail.sql.duckdb).toContain('start_ms + 86400000')
    expect(detail.sql.spark).toContain('`temp_mean`')
    expect((await test.get('/api/v1/features/temp_maen')).status).toBe(404)
  })
})
