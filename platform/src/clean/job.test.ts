import { afterEach, describe, expect, it } from 'vitest'
import type { DeviceRow } from '../contracts/index.ts'
import type { Lake } from '../lake/index.ts'
import { cleanJob } from './job.ts'
import {
  type Arrival,
  day0,
  dayMs,
  deviceRow,
  healthy,
  land,
  minuteMs,
  newLake,
  rowsOf,
} from './testing/landing.ts'

const lakes: Lake[] = []

async function lakeWith(...versions: readonly (readonly Arrival[])[]): Promise<Lake> {
  const lake = await newLake()
  lakes.push(lake)
  for (const arrivals of versions) await land(lake, arrivals)
  return lake
}

afterEach(async () => {
  for (const lake of lakes.splice(0)) await lake.close()
})

const devices = ['A', 'B', 'C'].map((id) => deviceRow(id))
const nowMs = day0 + dayMs

function clean(lake: Lake, registry: readonly DeviceRow[] = devices, maxRowsPerCommit = 4_000_000) {
  return cleanJob({ lake, nowMs }, { devices: registry, registryVersion: 'r1', maxRowsPerCommit })
}

const cleanRows = (lake: Lake) =>
  rowsOf(lake, 'clean_sensor_readings', 'device_id, timestamp_utc, event_id')

async function flagsOf(lake: Lake): Promise<readonly unknown[]> {
  return (await cleanRows(lake)).map(({ quality_flags }) => quality_flags)
}

describe('cleansing', () => {
  it('passes a healthy row on unchanged, with no flag', async () => {
    const lake = await lakeWith([{ device: 'A', at: day0, id: 'e1' }])
    expect(await clean(lake)).toMatchObject({ inputRowCount: 1, rowCount: 1, commitCount: 1 })
    expect(await cleanRows(lake)).toEqual([
      {
        event_id: 'e1',
        device_id: 'A',
        timestamp_utc: day0,
        ...healthy,
        quality_flags: [],
        sensor_null_count: 0,
        timestamp_ingested: day0 + 1000,
        timestamp_available: day0 + 2000,
        range_violation_sensors: null,
        merged_event_ids: null,
        date: '2026-02-16',
      },
    ])
  })

  it('keeps the first copy of an id in a batch and logs the others (CON-10)', async () => {
    const copy = { device: 'A', at: day0, id: 'same' }
    const lake = await lakeWith([copy, { ...copy, arrivedAt: day0 + 9000 }, copy])
    expect(await clean(lake)).toMatchObject({ rowCount: 1, duplicateCount: 2 })
    expect(await cleanRows(lake)).toMatchObject([
      { event_id: 'same', timestamp_ingested: day0 + 1000, quality_flags: ['DUPLICATE_REMOVED'] },
    ])
    expect(await rowsOf(lake, 'removed_duplicates')).toHaveLength(2)
  })

  it('drops a copy that arrives in a later batch, drift rows included (CON-10)', async () => {
    const drifted = { device: 'B', at: day0 - 3 * dayMs, id: 'drifted' }
    const lake = await lakeWith([
      { device: 'A', at: day0, id: 'same' },
      { ...drifted, arrivedAt: day0 },
    ])
    await clean(lake)
    await land(lake, [
      { device: 'A', at: day0, id: 'same', arrivedAt: day0 + 10 * minuteMs },
      { ...drifted, arrivedAt: day0 + 2 * dayMs },
      { device: 'A', at: day0 + minuteMs, id: 'new' },
    ])
    expect(await clean(lake)).toMatchObject({ rowCount: 1, duplicateCount: 2 })
    expect((await cleanRows(lake)).map(({ event_id }) => event_id)).toEqual([
      'same',
      'new',
      'drifted',
    ])
  })

  it('sets unknown devices and schema majors aside with the reason', async () => {
    const lake = await lakeWith([
      { device: 'X', at: day0, values: { temperature: 500 } },
      { device: 'A', at: day0, schema: '9.1' },
      { device: 'A', at: day0 + minuteMs, schema: '2.7' },
    ])
    expect(await clean(lake)).toMatchObject({ rowCount: 1, quarantinedCount: 2 })
    expect(await rowsOf(lake, 'quarantine_sensor_readings', 'device_id')).toMatchObject([
      { device_id: 'A', quarantine_reason: 'SCHEMA_VERSION_UNKNOWN', quality_flags: [] },
      {
        device_id: 'X',
        quarantine_reason: 'DEVICE_UNKNOWN',
        quality_flags: ['RANGE_VIOLATION', 'DEVICE_UNKNOWN'],
        temperature: null,
        registry_version: 'r1',
        quarantined_at: day0 + minuteMs + 2000,
      },
    ])
  })

  it('dead-letters a row in which no sensor has a value (CON-9)', async () => {
    const lake = await lakeWith([
      { device: 'A', at: day0, id: 'empty', values: {} },
      { device: 'A', at: day0 + minuteMs, values: { temperature: 999 } },
    ])
    expect(await clean(lake)).toMatchObject({ rowCount: 1, deadLetterCount: 1 })
    const [letter] = await rowsOf(lake, 'dead_letter_messages')
    expect(letter).toMatchObject({
      event_id: 'empty',
      stage: 'cleansing',
      reason_code: 'ALL_SENSORS_NULL',
      firmware_version: '3.5',
    })
    const payload = Buffer.from(letter?.payload as Uint8Array).toString()
    expect(JSON.parse(payload)).toMatchObject({ event_id: 'empty', temperature: null })
    expect(await cleanRows(lake)).toMatchObject([{ temperature: null, sensor_null_count: 3 }])
  })

  it('folds narrow rows of one instant, the last of a sensor winning (CON-12)', async () => {
    const narrow = { device: 'A', at: day0, narrow: true }
    const lake = await lakeWith([
      { ...narrow, id: 'n1', values: { temperature: 1 } },
      { ...narrow, id: 'n2', values: { pressure: 200 } },
      { ...narrow, id: 'n3', values: { temperature: 2 } },
      { ...narrow, id: 'n2', values: { pressure: 200 } },
      { ...narrow, id: 'n4', values: { door_open: true }, quality: 'bad' },
      { device: 'B', at: day0 },
    ])
    expect(await clean(lake)).toMatchObject({ rowCount: 2, foldedCount: 3, duplicateCount: 1 })
    expect(await cleanRows(lake)).toMatchObject([
      {
        event_id: 'n1',
        temperature: 2,
        pressure: 200,
        door_open: null,
        merged_event_ids: ['n2', 'n3', 'n4'],
        quality_flags: ['DUPLICATE_REMOVED', 'DEVICE_BAD_QUALITY'],
        sensor_null_count: 1,
      },
      { device_id: 'B', merged_event_ids: null },
    ])
    await land(lake, [
      { ...narrow, id: 'n3', values: { temperature: 2 }, arrivedAt: day0 + 5000 },
      { ...narrow, id: 'n5', values: { temperature: 3 }, arrivedAt: day0 + 5000 },
    ])
    expect(await clean(lake)).toMatchObject({ rowCount: 1, duplicateCount: 1, foldedCount: 0 })
  })

  it('takes the gateway time when the device clock cannot be right (CON-11, ING-43, ING-44)', async () => {
    const cases: readonly (readonly [at: number, sentAt: number | undefined])[] = [
      [-dayMs, undefined],
      [-dayMs - 1, undefined],
      [-3 * dayMs, 4 * minuteMs],
      [-3 * dayMs, 6 * minuteMs],
      [-8 * dayMs, 0],
      [5 * minuteMs, undefined],
      [5 * minuteMs + 1, undefined],
      [dayMs + 1, undefined],
    ]
    const lake = await lakeWith(
      cases.map(([at, sentAt], index) => ({
        device: 'A',
        id: `e${index}`,
        at: day0 + at,
        arrivedAt: day0,
        ...(sentAt === undefined ? {} : { sentAt: day0 + sentAt }),
      })),
    )
    await clean(lake)
    const rows = await rowsOf(lake, 'clean_sensor_readings', 'event_id')
    const clockFlags = ['LATE_ARRIVAL', 'CLOCK_DRIFT', 'CLOCK_AHEAD']
    const judged = rows.map(({ timestamp_utc, quality_flags }) => [
      Number(timestamp_utc) - day0,
      (quality_flags as string[]).find((flag) => clockFlags.includes(flag)),
    ])
    expect(judged).toEqual([
      [-dayMs, undefined],
      [0, 'CLOCK_DRIFT'],
      [-3 * dayMs, 'LATE_ARRIVAL'],
      [0, 'CLOCK_DRIFT'],
      [0, 'CLOCK_DRIFT'],
      [5 * minuteMs, undefined],
      [0, 'CLOCK_AHEAD'],
      [0, 'CLOCK_DRIFT'],
    ])
  })

  it('corrects gauges, then judges by class, idling and suspicion (CON-4)', async () => {
    const registry = [
      deviceRow('A', { pressure_reference: 'gauge' }),
      deviceRow('B', { equipment_class: 'wide' }),
      deviceRow('C'),
    ]
    const lake = await lakeWith([
      { device: 'A', at: day0, values: { temperature: -35, pressure: 200, door_open: true } },
      { device: 'B', at: day0, values: { temperature: 85, pressure: 1001, door_open: true } },
      { device: 'C', at: day0, values: { temperature: 75, pressure: 100, door_open: true } },
      { device: 'C', at: day0 + 1, values: { temperature: 75, pressure: 200, door_open: true } },
    ])
    await clean(lake, registry)
    expect(await cleanRows(lake)).toMatchObject([
      { temperature: -35, pressure: 301.325, quality_flags: ['SUSPECT_VALUE'] },
      {
        temperature: 85,
        pressure: null,
        quality_flags: ['RANGE_VIOLATION'],
        range_violation_sensors: ['pressure'],
        sensor_null_count: 1,
      },
      { temperature: 75, quality_flags: [] },
      { temperature: null, range_violation_sensors: ['temperature'] },
    ])
  })

  it('flags a sensor gap only where the sensor is expected and was reported (CON-8)', async () => {
    const missing = { temperature: 4, pressure: 300 }
    const lake = await lakeWith([
      { device: 'A', at: day0, values: missing },
      { device: 'A', at: day0 + minuteMs },
      { device: 'A', at: day0 + 2 * minuteMs, values: missing },
      { device: 'B', at: day0 },
      { device: 'B', at: day0 + minuteMs, values: missing },
    ])
    const registry = [deviceRow('A'), deviceRow('B', { firmware_version: '2.9' })]
    await clean(lake, registry)
    expect(await flagsOf(lake)).toEqual([[], [], ['SENSOR_GAP'], [], []])
    await land(lake, [
      { device: 'A', at: day0 + 3 * minuteMs, values: missing },
      { device: 'A', at: day0 + 40 * dayMs, values: missing },
    ])
    await clean(lake, registry)
    expect((await flagsOf(lake)).slice(3, 5)).toEqual([['SENSOR_GAP'], ['READING_GAP']])
  })

  it('flags the first row after a silence, across batches and by reporting interval', async () => {
    const registry = [deviceRow('A'), deviceRow('B', { reporting_interval_s: 120 })]
    const both = (minute: number): readonly Arrival[] =>
      ['A', 'B'].map((device) => ({ device, at: day0 + minute * minuteMs }))
    const lake = await lakeWith([...both(0), ...both(5), ...both(11)])
    await clean(lake, registry)
    await land(lake, [...both(20), ...both(32)])
    await clean(lake, registry)
    expect(await flagsOf(lake)).toEqual([
      ...[[], [], ['READING_GAP'], ['READING_GAP'], ['READING_GAP']],
      ...[[], [], [], [], ['READING_GAP']],
    ])
  })

  it('suspects the time zone from the tenth message off by the same quarter hours (ING-45)', async () => {
    const off = (device: string, count: number, behindMinutes: number, from = 0) =>
      Array.from(
        { length: count },
        (_, index): Arrival => ({
          ...{ device, id: `${device}-${from + index}` },
          at: day0 + (from + index - behindMinutes) * minuteMs,
          arrivedAt: day0 + (from + index) * minuteMs + 1000 * (index % 3),
        }),
      )
    const flush = Array.from(
      { length: 30 },
      (_, minute): Arrival => ({
        ...{ device: 'C', id: `C-${minute}`, at: day0 + minute * minuteMs },
        arrivedAt: day0 + 60 * minuteMs,
      }),
    )
    const lake = await lakeWith(
      [...off('A', 6, 120), ...off('B', 9, -345)],
      [...off('A', 6, 120, 6), ...off('B', 2, 0, 9), ...flush],
    )
    await clean(lake, devices, 1)
    const rows = await rowsOf(lake, 'clean_sensor_readings', 'event_id')
    const suspects = rows.filter(({ quality_flags }) =>
      (quality_flags as string[]).includes('TIMEZONE_SUSPECT'),
    )
    expect(suspects.map(({ event_id }) => event_id)).toEqual(['A-10', 'A-11', 'A-9'])
  })

  it('judges a device by its registry entry as of the event time', async () => {
    const registry = [
      deviceRow('A', { valid_from: day0 - dayMs, valid_to: day0 }),
      deviceRow('A', { valid_from: day0, pressure_reference: 'gauge' }),
    ]
    const lake = await lakeWith([
      { device: 'A', at: day0 - 2 * dayMs },
      { device: 'A', at: day0 - 1 },
      { device: 'A', at: day0 },
    ])
    await clean(lake, registry)
    const pressures = (await cleanRows(lake)).map(({ pressure }) => pressure)
    expect(pressures).toEqual([300.5, 300.5, 401.825])
  })

  it('writes nothing on a second run and continues after new versions', async () => {
    const lake = await lakeWith([{ device: 'A', at: day0 }])
    await clean(lake)
    const { version } = await lake.table('clean_sensor_readings').snapshot()
    expect(await clean(lake)).toMatchObject({ commitCount: 0, inputRowCount: 0 })
    expect((await lake.table('clean_sensor_readings').snapshot()).version).toBe(version)
    await land(lake, [{ device: 'A', at: day0 + minuteMs }])
    expect(await clean(lake)).toMatchObject({ commitCount: 1, rowCount: 1 })
  })

  it('gives the same rows whatever the size of its commits', async () => {
    const versions = Array.from({ length: 6 }, (_, version) =>
      ['A', 'B', 'X'].flatMap((device) =>
        [0, 1, 2].map(
          (minute): Arrival => ({
            device,
            id: `${device}-${version}-${minute === 2 ? 1 : minute}`,
            at: day0 + (version * 7 + minute) * minuteMs,
            values: version % 2 === 0 ? healthy : { temperature: 4, pressure: 5000 },
          }),
        ),
      ),
    )
    const whole = await lakeWith(...versions)
    expect(await clean(whole)).toMatchObject({ commitCount: 1 })
    const parts = await lakeWith(...versions)
    expect(await clean(parts, devices, 10)).toMatchObject({ commitCount: 6 })
    expect(await cleanRows(parts)).toEqual(await cleanRows(whole))
    expect(await rowsOf(parts, 'quarantine_sensor_readings')).toEqual(
      await rowsOf(whole, 'quarantine_sensor_readings'),
    )
  })
})
