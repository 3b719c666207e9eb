import { afterEach, describe, expect, it } from 'vitest'
import type { Lake, LakeTable } from '../lake/index.ts'
import { cleanJob } from './job.ts'
import {
  type Arrival,
  day0,
  dayMs,
  deviceRow,
  land,
  minuteMs,
  newLake,
  rowsOf,
} from './testing/landing.ts'

const lakes: Lake[] = []

afterEach(async () => {
  for (const lake of lakes.splice(0)) await lake.close()
})

const devices = ['A', 'B'].map((id) => deviceRow(id))
const tables = [
  'clean_sensor_readings',
  'quarantine_sensor_readings',
  'removed_duplicates',
  'dead_letter_messages',
] as const

/** Two landing versions with something for every table. */
const versions: readonly (readonly Arrival[])[] = [0, 10].map((minute) => {
  const at = day0 + minute * minuteMs
  return [
    { device: 'A', at, id: `a-${minute}` },
    { device: 'A', at, id: `a-${minute}` },
    { device: 'X', at, id: `x-${minute}` },
    { device: 'B', at, id: `b-${minute}`, values: {} },
    { device: 'B', at: at + minuteMs, id: `c-${minute}` },
  ]
})

async function landed(count: number): Promise<Lake> {
  const lake = await newLake()
  lakes.push(lake)
  for (const arrivals of versions.slice(0, count)) await land(lake, arrivals)
  return lake
}

const clean = (lake: Lake) =>
  cleanJob({ lake, nowMs: day0 + dayMs }, { devices, registryVersion: 'r1' })

/** The process dies in a write to a table: before its files are committed. */
function dyingLake(lake: Lake, name: string): Lake {
  const dying = (table: LakeTable): LakeTable => ({
    ...table,
    write: (write) =>
      table.write({
        ...write,
        beforeCommit: async (rowCount) => {
          await write.beforeCommit?.(rowCount)
          throw new Error(`died before the commit to ${name}`)
        },
      }),
  })
  return {
    ...lake,
    table: (wanted) => (wanted === name ? dying(lake.table(wanted)) : lake.table(wanted)),
  }
}

/** Contents of all tables, apart from log offsets and what is derived from them. */
async function contents(lake: Lake): Promise<unknown> {
  const found = []
  for (const name of tables) {
    const rows = await rowsOf(lake, name, 'event_id')
    found.push(
      rows.map((row) => ({ ...row, dlq_id: null, sequence_number: null, _sequence_number: null })),
    )
  }
  return found
}

describe('a run that dies', () => {
  it.each(tables)('before the commit to %s leaves nothing behind twice', async (name) => {
    const wanted = await landed(2)
    await clean(wanted)

    const lake = await landed(1)
    await expect(clean(dyingLake(lake, name))).rejects.toThrow('died before the commit')
    expect(await rowsOf(lake, 'clean_sensor_readings')).toEqual([])
    // More arrives before the next run: the unfinished batch must not grow by it.
    for (const arrivals of versions.slice(1)) await land(lake, arrivals)
    await clean(lake)
    expect(await clean(lake)).toMatchObject({ commitCount: 0 })
    expect(await contents(lake)).toEqual(await contents(wanted))
  })

  it('loses no memory of devices: the memory is rebuilt from the table', async () => {
    const lake = await landed(1)
    await clean(lake)
    const { rm } = await import('node:fs/promises')
    await rm(`${lake.directory}/.clean-memory`, { recursive: true })
    await land(lake, [{ device: 'A', at: day0 + 30 * minuteMs, values: { temperature: 4 } }])
    await clean(lake)
    const rows = await rowsOf(lake, 'clean_sensor_readings', 'timestamp_utc DESC')
    expect(rows[0]).toMatchObject({ quality_flags: ['SENSOR_GAP', 'READING_GAP'] })
  })
})
