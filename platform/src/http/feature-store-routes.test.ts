import { afterEach, describe, expect, it } from 'vitest'
import { type OnlineFeatures, openOnlineFeatures } from '../feature-store/index.ts'
import type { FeatureCare } from '../runtime/index.ts'
import {
  deviceRow,
  minuteMs,
  startMs,
  type TemporaryServer,
  temporaryServer,
  writeTable,
} from './test-support.ts'

let open: TemporaryServer | undefined
afterEach(async () => {
  await open?.remove()
  open = undefined
})

/** A server whose lake holds one hour of one device. */
async function serverWithFeatures(): Promise<TemporaryServer> {
  const health: FeatureCare['health'] = () => ({
    findings: [],
    alarms: [
      {
        finding: {
          metric: 'freshness',
          subject: '15 min',
          severity: 'HIGH',
          owner: 'pipeline',
          value: 130,
          threshold: 120,
          detail: 'late',
        },
        severity: 'HIGH',
        openedMs: startMs,
        saidMs: startMs,
        cleanCount: 0,
      },
    ],
    verdict: undefined,
  })
  let online: OnlineFeatures | undefined
  const never = () => Promise.reject(new Error('the routes only read'))
  const base = await temporaryServer({
    features: {
      get online() {
        if (online === undefined) throw new Error('the table is not yet read')
        return online
      },
      health,
      look: never,
      nightly: never,
    },
  })
  open = base
  await base.state.registry.upsert([deviceRow('UNIT-1'), deviceRow('UNIT-2')])
  const instant = (ms: number) => `make_timestamptz(${ms * 1000}::BIGINT)`
  await writeTable(
    base.lake,
    'device_features',
    `SELECT 'UNIT-1' AS device_id, ${instant(startMs - 60 * minuteMs)} AS window_start,
      ${instant(startMs)} AS window_end, 60::INTEGER AS window_duration_minutes,
      58::INTEGER AS reading_count, 4.5::DOUBLE AS temp_mean, 1::DOUBLE AS sensor_completeness,
      0::INTEGER AS quality_flag_count, 'v' AS feature_version, '3' AS clean_snapshot_id,
      'normal' AS operating_mode, true AS is_final, '2026-02-15' AS window_date`,
  )
  online = openOnlineFeatures(base.lake)
  await online.refresh(startMs)
  return base
}

describe('the routes of the feature store', () => {
  it('serve the newest row per duration by name, and 404 for a device without one', async () => {
    const { get } = await serverWithFeatures()
    const { status, body } = await get('/api/v1/feature-store/online/UNIT-1')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      device_id: 'UNIT-1',
      windows: [
        {
          window_duration_minutes: 60,
          window_end: new Date(startMs).toISOString(),
          operating_mode: 'normal',
          features: { temp_mean: 4.5, temp_std: null, reading_count: 58 },
        },
      ],
      last_24h: null,
    })
    expect((await get('/api/v1/feature-store/online/UNIT-2')).status).toBe(404)
    expect((await get('/api/v1/feature-store/online/NOBODY')).status).toBe(404)
  })

  it('tell open alarms and that no proof has run', async () => {
    const { get } = await serverWithFeatures()
    expect((await get('/api/v1/feature-store/health')).body).toEqual({
      findings: [],
      alarms: [
        {
          metric: 'freshness',
          subject: '15 min',
          severity: 'HIGH',
          owner: 'pipeline',
          opened_at: new Date(startMs).toISOString(),
          detail: 'late',
        },
      ],
      skew: null,
    })
  })
})
