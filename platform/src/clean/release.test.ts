import { afterEach, describe, expect, it } from 'vitest'
import type { DeviceRow } from '../contracts/index.ts'
import type { Lake } from '../lake/index.ts'
import type { BatchGates, HeldSlice } from './batch-gates.ts'
import { cleanJob } from './job.ts'
import { type ReleaseSelection, releaseJob } from './release.ts'
import { anyViolationSql } from './sensor-range.ts'
import {
  type Arrival,
  day0,
  dayMs,
  deviceRow,
  land,
  minuteMs,
  newLake,
  rowsOf,
  testFleet,
} from './testing/landing.ts'

const lakes: Lake[] = []
const nowMs = day0 + dayMs

async function lakeWith(...versions: readonly (readonly Arrival[])[]): Promise<Lake> {
  const lake = await newLake()
  lakes.push(lake)
  for (const arrivals of versions) await land(lake, arrivals)
  return lake
}

afterEach(async () => {
  for (const lake of lakes.splice(0)) await lake.close()
})

/** Holds every slice in which more than half of the rows are out of range. */
function halfInRange(told: HeldSlice[] = []): BatchGates {
  return {
    figures: () => ({ outside: `count_if(${anyViolationSql(testFleet)})` }),
    judge: (slices) =>
      slices.flatMap(({ slice, rowCount, figures }) => {
        const value = (figures.outside ?? 0) / rowCount
        return value > 0.5 ? [{ slice, gateId: 'E2.7', value, limit: 0.5, rowCount }] : []
      }),
    onHeld: async (held) => {
      told.push(...held)
    },
  }
}

const site = (id: string, siteId: string, more: Partial<DeviceRow> = {}) =>
  deviceRow(id, { site_id: siteId, ...more })

const hot = { temperature: 500, pressure: 300, door_open: false }
const clean = (lake: Lake, devices: readonly DeviceRow[], gates?: BatchGates) =>
  cleanJob({ lake, nowMs }, { devices, registryVersion: 'r', ...(gates && { gates }) })
const release = (
  lake: Lake,
  devices: readonly DeviceRow[],
  gates?: BatchGates,
  selection?: ReleaseSelection,
) =>
  releaseJob({ lake, nowMs }, { devices, registryVersion: 'r', ...(gates && { gates }) }, selection)
const cleanIds = async (lake: Lake) =>
  (await rowsOf(lake, 'clean_sensor_readings', 'event_id')).map(({ event_id }) => event_id)

describe('a gate before the clean table', () => {
  it('holds back the slice at fault, tells of it, and lets the others go on', async () => {
    const devices = [site('A', 'north'), site('B', 'south'), site('C', 'south')]
    const lake = await lakeWith([
      { device: 'A', at: day0, id: 'a1', values: hot },
      { device: 'B', at: day0, id: 'b1' },
      { device: 'C', at: day0, id: 'c1', values: hot },
      { device: 'X', at: day0, id: 'x1' },
    ])
    const told: HeldSlice[] = []
    const outcome = await clean(lake, devices, halfInRange(told))
    expect(outcome).toMatchObject({
      ...{ inputRowCount: 4, rowCount: 2, quarantinedCount: 2, heldCount: 1 },
    })
    expect(told).toMatchObject([{ slice: { siteId: 'north' }, gateId: 'E2.7', value: 1 }])
    expect(await cleanIds(lake)).toEqual(['b1', 'c1'])
    expect(await rowsOf(lake, 'quarantine_sensor_readings', 'event_id')).toMatchObject([
      { event_id: 'a1', quarantine_reason: 'GATE_FAILED', released_at: null },
      { event_id: 'x1', quarantine_reason: 'DEVICE_UNKNOWN' },
    ])
  })

  it('judges a site apart by firmware', async () => {
    const devices = [site('A', 'north'), site('B', 'north', { firmware_version: '4.0' })]
    const lake = await lakeWith([
      { device: 'A', at: day0, id: 'a1' },
      { device: 'B', at: day0, id: 'b1', values: hot },
    ])
    expect(await clean(lake, devices, halfInRange())).toMatchObject({ rowCount: 1, heldCount: 1 })
    expect(await cleanIds(lake)).toEqual(['a1'])
  })
})

describe('rows in quarantine', () => {
  it('go on once their device is registered, with values from landing and only once', async () => {
    const lake = await lakeWith([
      { device: 'A', at: day0, id: 'a1' },
      { device: 'N', at: day0, id: 'n1' },
      { device: 'N', at: day0, id: 'n1', arrivedAt: day0 + 5000 },
      { device: 'N', at: day0 + minuteMs, id: 'n2', values: {} },
      { device: 'N', at: day0 + 2 * minuteMs, id: 'n3', schema: '9.0' },
    ])
    await clean(lake, [site('A', 's')])
    expect(await cleanIds(lake)).toEqual(['a1'])
    const known = [site('A', 's'), site('N', 's')]
    expect(await release(lake, known)).toEqual({
      ...{ triedCount: 3, releasedCount: 2, waitingCount: 1 },
    })
    expect(await cleanIds(lake)).toEqual(['a1', 'n1'])
    expect(await rowsOf(lake, 'dead_letter_messages')).toMatchObject([{ event_id: 'n2' }])
    expect(await rowsOf(lake, 'quarantine_sensor_readings', 'event_id')).toMatchObject([
      { event_id: 'n1', released_at: nowMs },
      { event_id: 'n2', released_at: nowMs },
      { event_id: 'n3', released_at: null },
    ])
    expect(await release(lake, known)).toMatchObject({ triedCount: 1, releasedCount: 0 })
    expect(await cleanIds(lake)).toEqual(['a1', 'n1'])
  })

  it('wait until their gate opens, or until a person lets them through', async () => {
    const gauge = { pressure_reference: 'gauge' } as const
    const low = { temperature: 4, pressure: -50, door_open: false }
    const lake = await lakeWith([
      { device: 'A', at: day0, id: 'a1', values: low },
      { device: 'B', at: day0, id: 'b1', values: hot },
    ])
    const devices = [site('A', 'north'), site('B', 'south')]
    await clean(lake, devices, halfInRange())
    expect(await release(lake, devices, halfInRange())).toMatchObject({ releasedCount: 0 })
    const mended = [site('A', 'north', gauge), site('B', 'south')]
    expect(await release(lake, mended, halfInRange())).toMatchObject({ releasedCount: 1 })
    expect(await rowsOf(lake, 'clean_sensor_readings')).toMatchObject([
      { event_id: 'a1', pressure: 51.325, quality_flags: [] },
    ])
    const forced = { deviceIds: ['B'], ignoresGates: true }
    expect(await release(lake, mended, halfInRange(), forced)).toMatchObject({ releasedCount: 1 })
    expect(await rowsOf(lake, 'clean_sensor_readings', 'event_id')).toMatchObject([
      { event_id: 'a1' },
      { event_id: 'b1', temperature: null, quality_flags: ['RANGE_VIOLATION'] },
    ])
  })

  it('keep their fold: parts of a narrow message come back as one row', async () => {
    const narrow = { device: 'N', at: day0, narrow: true }
    const lake = await lakeWith([
      { ...narrow, id: 'n1', values: { temperature: 3 } },
      { ...narrow, id: 'n2', values: { pressure: 200 } },
    ])
    await clean(lake, [])
    expect(await release(lake, [site('N', 's')])).toMatchObject({ releasedCount: 1 })
    expect(await rowsOf(lake, 'clean_sensor_readings')).toMatchObject([
      { event_id: 'n1', merged_event_ids: ['n2'], temperature: 3, pressure: 200 },
    ])
  })
})
