import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Lake } from '../lake/index.ts'
import { advanceMemory, emptyMemory } from './device-memory.ts'
import { sqlText } from './sql-literal.ts'
import { filesByVersion } from './version-files.ts'

/** Names the newest complete memory files; written last, so a torn save is never read. */
const markerName = 'newest.json'

type Marker = { readonly tableId: string; readonly sensors: string; readonly version: number }

function folderOf(lake: Lake): string {
  return join(lake.directory, '.clean-memory')
}

function pathsOf(lake: Lake, version: number) {
  const folder = folderOf(lake)
  return {
    devices: join(folder, `devices-${version}.parquet`),
    drifted: join(folder, `drifted-${version}.parquet`),
  }
}

function sensorsOf(lake: Lake): string {
  return lake.fleet.sensors.map(({ name }) => name).join(',')
}

function isMarker(value: unknown): value is Marker {
  return (
    typeof value === 'object' &&
    value !== null &&
    'version' in value &&
    typeof value.version === 'number' &&
    'tableId' in value &&
    'sensors' in value
  )
}

async function readMarker(lake: Lake): Promise<Marker | undefined> {
  let text: string
  try {
    text = await readFile(join(folderOf(lake), markerName), 'utf8')
  } catch (cause) {
    // No memory yet, or it was taken away: it is rebuilt from the table, only slower.
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw cause
  }
  const parsed: unknown = JSON.parse(text)
  return isMarker(parsed) ? parsed : undefined
}

/** Loads the memory of the clean table at its newest version; catches up or rebuilds as needed. */
export async function loadMemory(connection: DuckDBConnection, lake: Lake): Promise<number> {
  const snapshot = await lake.table('clean_sensor_readings').snapshot()
  for (const statement of emptyMemory(lake.fleet)) await connection.run(statement)
  const marker = await readMarker(lake)
  const isUsable =
    marker !== undefined &&
    marker.tableId === snapshot.metadata.id &&
    marker.sensors === sensorsOf(lake) &&
    marker.version <= snapshot.version
  if (!isUsable) return await catchUp(connection, lake, -1, snapshot.version)
  const { devices, drifted } = pathsOf(lake, marker.version)
  await connection.run(`INSERT INTO device_memory SELECT * FROM read_parquet(${sqlText(devices)})`)
  await connection.run(`INSERT INTO drifted_ids SELECT * FROM read_parquet(${sqlText(drifted)})`)
  return await catchUp(connection, lake, marker.version, snapshot.version)
}

/** Adds clean versions (from, to] to the memory; returns `to`. */
export async function catchUp(
  connection: DuckDBConnection,
  lake: Lake,
  from: number,
  to: number,
): Promise<number> {
  if (to <= from) return from
  const table = lake.table('clean_sensor_readings')
  const snapshot = await table.snapshot({ version: to })
  const files =
    from < 0
      ? snapshot.files
      : (await filesByVersion(table, from, to)).flatMap(({ files }) => files)
  if (files.length > 0) {
    for (const statement of advanceMemory(lake.fleet, table.relation(snapshot, files))) {
      await connection.run(statement)
    }
  }
  return to
}

/** Saves the memory, which stands at a version of the clean table. */
export async function saveMemory(
  connection: DuckDBConnection,
  lake: Lake,
  version: number,
): Promise<void> {
  const folder = folderOf(lake)
  await mkdir(folder, { recursive: true })
  const { devices, drifted } = pathsOf(lake, version)
  await connection.run(`COPY device_memory TO ${sqlText(devices)} (FORMAT parquet)`)
  await connection.run(`COPY drifted_ids TO ${sqlText(drifted)} (FORMAT parquet)`)
  const { metadata } = await lake.table('clean_sensor_readings').snapshot()
  const marker: Marker = { tableId: metadata.id, sensors: sensorsOf(lake), version }
  const path = join(folder, markerName)
  await writeFile(`${path}.new`, JSON.stringify(marker))
  await rename(`${path}.new`, path)
  const old = (await readdir(folder)).filter(
    (name) => name.endsWith('.parquet') && !name.endsWith(`-${version}.parquet`),
  )
  for (const name of old) await rm(join(folder, name), { force: true })
}
