import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bucketWidthS } from './queries/downsampled-readings.ts'
import { devicePageSchema, overviewSchema } from './schemas/device-schema.ts'
import { featuresSchema, readingsSchema, scoresSchema } from './schemas/series-schema.ts'
import {
  alertRow,
  deviceRow,
  minuteMs,
  startMs,
  type TemporaryServer,
  temporaryServer,
  writeTable,
} from './test-support.ts'

const iso = (timeMs: number) => new Date(timeMs).toISOString()
const at = (timeMs: number) => `make_timestamptz(${timeMs}000::BIGINT)`

let test: TemporaryServer

beforeAll(async () => {
  test = await temporaryServer()
  const rows = Array.from({ length: 1200 }, (_, index) =>
    deviceRow(`UNIT-${index}`, {
      site_id: `SITE-${index % 4}`,
      site_name: `Site ${index % 4}`,
      model: index % 2 === 0 ? 'CF-200' : 'CF-300',
    }),
  )
  await test.state.registry.upsert(rows)
  test.state.live.setLastReadings(
    new Map(rows.slice(0, 1190).map((row) => [row.device_id, startMs - 30_000])),
  )
  await test.state.live.hydrate({
    hydratedAtMs: startMs,
    primaryModelId: 'statistical_baseline',
    updates: rows.slice(0, 1000).map((row, index) => ({
      deviceId: row.device_id,
      scores: [
        {
          modelId: 'statistical_baseline',
          modelVersion: '1.0.0',
          score: index / 2000,
          confidence: 'normal',
          windowEndMs: startMs - minuteMs,
          scoredAtMs: startMs - minuteMs,
        },
      ],
    })),
  })
  await test.addAlerts(alertRow('a', { device_id: 'UNIT-5', site_id: 'SITE-1' }))
  // Two hours of readings of one device, a spike in one minute, the door open for ten.
  await writeTable(
    test.lake,
    'clean_sensor_readings',
    `SELECT 'e' || i AS event_id, 'UNIT-1' AS device_id,
       ${at(startMs - 120 * minuteMs)} + to_minutes(i) AS timestamp_utc,
       CASE WHEN i = 37 THEN 55.0 WHEN i % 10 = 3 THEN NULL ELSE 4.0 + (i % 2) END AS temperature,
       100.0 + i AS pressure, i BETWEEN 20 AND 29 AS door_open, 0 AS sensor_null_count,
       []::VARCHAR[] AS quality_flags, timestamp_utc AS timestamp_ingested,
       strftime(timestamp_utc, '%Y-%m-%d') AS date
     FROM range(120) AS t(i)`,
  )
  await writeTable(
    test.lake,
    'device_features',
    `SELECT 'UNIT-1' AS device_id, ${at(startMs - 60 * minuteMs)} + to_minutes(h * 60) AS window_start,
       window_start + INTERVAL 1 HOUR AS window_end, 60 AS window_duration_minutes,
       60 AS reading_count, 8.0 + h AS temp_mean, NULL::DOUBLE AS temp_std, 120.0 AS pressure_mean,
       1.0 AS sensor_completeness, 0 AS quality_flag_count, true AS is_final,
       strftime(window_start, '%Y-%m-%d') AS window_date
     FROM range(-3, 1) AS t(h)`,
  )
  await writeTable(
    test.lake,
    'feature_baselines',
    `SELECT 'temp_mean' AS feature_name, granularity, cohort_id, NULL::VARCHAR AS device_id,
       median AS baseline_p50, median - 2 AS baseline_p05, median + 2 AS baseline_p95,
       median - 1 AS baseline_p25, median + 1 AS baseline_p75, 1.0 AS baseline_std, 0.5 AS mad,
       median AS baseline_mean, 60 AS window_duration_minutes, ${at(startMs)} AS computed_at
     FROM (VALUES ('fleet', NULL, 20.0), ('cohort', 'CF-200/cold', 4.0)) AS t(granularity, cohort_id, median)`,
  )
  await writeTable(
    test.lake,
    'model_scores',
    `SELECT 's' || h AS score_id, 'UNIT-1' AS device_id, ${at(startMs)} - to_hours(h) AS window_end,
       window_end - INTERVAL 1 HOUR AS window_start, 60 AS window_duration_minutes,
       'statistical_baseline' AS model_id, '1.0.0' AS model_version,
       'champion' AS deployment_role, 'cohort' AS granularity, 0.9 - h / 10 AS anomaly_score,
       h = 0 AS anomaly_flag, 0.6 AS threshold_used, ['temp_mean', 'pressure_mean'] AS top_contributors,
       [3.5, 1.0] AS contributor_scores, ['high', 'low'] AS contributor_directions,
       window_end + INTERVAL 2 MINUTE AS scored_at, 1.0 AS sensor_completeness,
       true AS alert_eligible, false AS data_quality, 'run' AS run_id, 'low' AS confidence,
       strftime(window_end, '%Y-%m-%d') AS scored_at_date
     FROM range(4) AS t(h)`,
  )
})

afterAll(async () => {
  expect(test.failures).toEqual([])
  await test.remove()
})

describe('the device list, OBJ-1', () => {
  it('gives pages of at most 500 that together hold every device once', async () => {
    const seen: string[] = []
    let cursor = ''
    do {
      const { status, body } = await test.get(`/api/v1/devices?limit=500${cursor}`)
      expect(status).toBe(200)
      const page = devicePageSchema.parse(body)
      expect(page.total_count).toBe(1200)
      seen.push(...page.devices.map(({ device_id: id }) => id))
      cursor = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`
    } while (cursor !== '')
    expect(seen).toHaveLength(1200)
    expect(new Set(seen).size).toBe(1200)
    expect(seen[0]).toBe('UNIT-5')
    expect((await test.get('/api/v1/devices?limit=501')).status).toBe(400)
  })
  it('filters by health, site, model and search and sorts by score', async () => {
    const url = '/api/v1/devices?health=healthy&site=SITE-1&model=CF-300&search=unit-99&sort=-score'
    const { body } = await test.get(url)
    const scores = devicePageSchema.parse(body).devices.map((d) => d.latest_anomaly_score ?? -1)
    expect(scores.length).toBeGreaterThan(1)
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
    expect((await test.get('/api/v1/devices?health=offline')).body.total_count).toBe(10)
  })
  it('refuses a cursor of another list instead of giving a page of something else', async () => {
    const { body } = await test.get('/api/v1/devices?limit=2')
    const other = await test.get(`/api/v1/devices?limit=2&site=SITE-1&cursor=${body.next_cursor}`)
    expect(other).toMatchObject({ status: 400, body: { where: 'query.cursor' } })
    expect((await test.get('/api/v1/devices?cursor=%00')).status).toBe(400)
  })
  it('names a filter that does not exist', async () => {
    expect(await test.get('/api/v1/devices?helth=offline')).toMatchObject({ status: 400 })
  })
  it('answers 500 devices well within 300 ms, without a table job', async () => {
    const before = performance.now()
    await test.get('/api/v1/devices?limit=500')
    expect(performance.now() - before).toBeLessThan(300)
  })
})

describe('the overview', () => {
  it('holds the whole fleet in columns of one length', async () => {
    const { body } = await test.get('/api/v1/overview')
    const view = overviewSchema.parse(body)
    for (const column of [view.site, view.model, view.health, view.score, view.trend]) {
      expect(column).toHaveLength(1200)
    }
    expect(view.sites[0]).toMatchObject({
      site_id: 'SITE-1',
      device_count: 300,
      devices_in_alert: 1,
      health_status: 'critical',
    })
    const place = view.device_id.indexOf('UNIT-5')
    expect(view.health_statuses[view.health[place] ?? -1]).toBe('critical')
  })
})

describe('readings of a device, OBJ-39', () => {
  const url = (points: number, from = startMs - 120 * minuteMs) =>
    `/api/v1/devices/UNIT-1/readings?from=${iso(from)}&to=${iso(startMs)}&points=${points}`

  it('keep spikes when they are downsampled: min and max stand beside the mean', async () => {
    const view = readingsSchema.parse((await test.get(url(12))).body)
    expect(view).toMatchObject({ bucket_seconds: 600 })
    expect(view.times).toHaveLength(12)
    const { temperature, door_open: door } = view.series
    if (temperature?.kind !== 'gauge' || door?.kind !== 'boolean') throw new Error('kinds differ')
    expect(temperature.max[3]).toBe(55)
    expect(temperature.count).toEqual(Array(12).fill(9))
    expect(door.fraction).toEqual([0, 0, 1, ...Array(9).fill(0)])
  })
  it('agree with a naive average over the same minutes', async () => {
    const view = readingsSchema.parse((await test.get(url(12))).body)
    const { pressure } = view.series
    if (pressure?.kind !== 'gauge') throw new Error('pressure is a gauge')
    view.times.forEach((timeMs, bucket) => {
      const first = (timeMs - (startMs - 120 * minuteMs)) / minuteMs
      const values = Array.from({ length: 10 }, (_, index) => 100 + first + index)
      const mean = values.reduce((sum, value) => sum + value, 0) / 10
      expect(pressure.mean[bucket]).toBeCloseTo(mean, 6)
      expect([pressure.min[bucket], pressure.max[bucket]]).toEqual([values[0], values[9]])
    })
  })
  it('have at most as many points as asked for, whatever the range', () => {
    for (const hours of [1, 6, 24, 168, 2160, 9600]) {
      for (const points of [10, 400, 2200]) {
        const width = bucketWidthS(hours * 3_600_000, points)
        expect((hours * 3600) / width).toBeLessThanOrEqual(points)
      }
    }
    expect(bucketWidthS(24 * 3_600_000, 2200)).toBe(60)
    expect(bucketWidthS(168 * 3_600_000, 2200)).toBe(300)
    expect(bucketWidthS(2160 * 3_600_000, 2200)).toBe(3600)
  })
  it('are empty, not an error, where there is nothing', async () => {
    const from = startMs - 400 * minuteMs
    const empty = `/api/v1/devices/UNIT-1/readings?from=${iso(from)}&to=${iso(from + minuteMs)}`
    expect((await test.get(empty)).body).toMatchObject({ times: [] })
  })
  it('say what is wrong with a range', async () => {
    const upside = `/api/v1/devices/UNIT-1/readings?from=${iso(startMs)}&to=${iso(startMs - 1)}`
    expect(await test.get(upside)).toMatchObject({
      status: 400,
      body: { where: 'query.from, query.to' },
    })
    expect((await test.get('/api/v1/devices/UNIT-1/readings')).status).toBe(400)
    expect((await test.get(url(5000))).status).toBe(400)
  })
  it('are not found for a device that is not registered, and cannot carry SQL', async () => {
    const range = `from=${iso(startMs - minuteMs)}&to=${iso(startMs)}`
    const odd = encodeURIComponent("x' OR '1'='1")
    expect((await test.get(`/api/v1/devices/${odd}/readings?${range}`)).status).toBe(404)
  })
})

describe('scores and features of a device', () => {
  it('give one series per model with its threshold, oldest first', async () => {
    const url = `/api/v1/devices/UNIT-1/scores?from=${iso(startMs - 180 * minuteMs)}&to=${iso(startMs)}`
    const view = scoresSchema.parse((await test.get(url)).body)
    expect(view.series).toHaveLength(1)
    expect(view.series[0]).toMatchObject({
      threshold: 0.6,
      flagged: [false, false, true],
      contributors: ['temp_mean', 'pressure_mean'],
    })
    expect(view.series[0]?.score.map((score) => Math.round(score * 10))).toEqual([7, 8, 9])
  })
  it('put the newest features beside what is normal for the narrowest known scope, MOD-15', async () => {
    const view = featuresSchema.parse((await test.get('/api/v1/devices/UNIT-1/features')).body)
    expect(view.windows).toHaveLength(1)
    const [window] = view.windows
    expect(window?.window_start).toBe(iso(startMs - 60 * minuteMs))
    const temperature = window?.features.find(({ feature }) => feature === 'temp_mean')
    expect(temperature).toMatchObject({
      value: 8,
      normal: { median: 4, low: 2, high: 6, scope: 'cohort' },
    })
    expect(temperature?.normal?.spread).toBeCloseTo(0.7413, 4)
    const missing = window?.features.find(({ feature }) => feature === 'temp_std')
    expect(missing).toMatchObject({ value: null, normal: null })
  })
  it('put value and normal into the reasons of an alert', async () => {
    await test.addAlerts(alertRow('with-score', { score_id: 's0', device_id: 'UNIT-1' }))
    const { body } = await test.get('/api/v1/alerts/with-score')
    expect(body).toMatchObject({ confidence: 'low', window_end: iso(startMs) })
    expect(body.contributors[0]).toMatchObject({
      feature: 'temp_mean',
      direction: 'high',
      weight: 3.5,
      value: 8,
      normal: { median: 4, scope: 'cohort' },
    })
  })
})

describe('people’s queries', () => {
  const allowed = async (sql: string) => {
    const answered = await test.lake.query(sql)
    return answered.rows
  }
  it('are for data roles only; the lake itself keeps them read only', async () => {
    const refused = await test.post('/api/v1/query', { sql: 'SELECT 1' })
    expect(refused).toMatchObject({ status: 403, body: { found: 'operator_lead' } })
    expect(await allowed('SELECT count(*)::INTEGER FROM clean_sensor_readings')).toEqual([[120]])
  })
})
