import type { DuckDBConnection } from '@duckdb/node-api'
import { type Slice, sqlInstant } from '../clean/index.ts'
import type { DeviceRow } from '../contracts/index.ts'
import type { Lake } from '../lake/index.ts'
import { createDeviceSlices } from './device-slices.ts'
import type { Expectation } from './expectation.ts'
import type { GateEntry } from './gate-entry.ts'
import { gradedAtMs } from './sensor-job.ts'

/** What a report is made from besides the tables. */
export type ReportInput = {
  readonly devices: readonly DeviceRow[]
  readonly expectations: readonly Expectation[]
  readonly entries: readonly GateEntry[]
  readonly nowMs: number
  /** Days looked back; default 7. */
  readonly days?: number
}

/** A sensor in numbers. */
export type SensorFigures = {
  readonly name: string
  readonly label: string
  /** Share of rows without a value. */
  readonly nullRate: number
  readonly weakCount: number
  readonly deadCount: number
}

/** A site, a firmware or a site with a firmware in numbers. */
export type PartFigures = {
  readonly siteId?: string
  readonly siteName?: string
  readonly firmware?: string
  readonly deviceCount: number
  readonly readingCount: number
  /** Rows per quality flag. */
  readonly flags: Readonly<Record<string, number>>
  /** Share of rows without a value, by sensor. */
  readonly nullRates: Readonly<Record<string, number>>
  readonly quarantinedCount: number
  readonly waitingCount: number
  readonly deadLetterCount: number
  readonly weakSensorCount: number
  readonly deadSensorCount: number
  readonly openGateIds: readonly string[]
  /** `held`: something stands still; `warned`: a gate is open; `good`: none is. */
  readonly state: 'held' | 'warned' | 'good'
}

/** Quality of the data of a fleet, per site and firmware. */
export type QualityReport = {
  readonly generatedAtMs: number
  readonly fleet: string
  readonly title: string
  readonly days: number
  readonly fromMs: number
  readonly total: PartFigures
  readonly sites: readonly PartFigures[]
  readonly firmware: readonly PartFigures[]
  readonly slices: readonly PartFigures[]
  readonly sensors: readonly SensorFigures[]
  readonly entries: readonly GateEntry[]
  readonly expectations: readonly {
    readonly id: string
    readonly contract: string
    readonly table: string
    readonly check: string
    readonly severity: string
    readonly limit: number
    readonly holdLimit: number | null
    readonly judgedBy: string
    readonly openCount: number
  }[]
}

/** Sums of one slice, from which every part is added up. */
type Sums = {
  readonly slice: Slice
  readonly siteName: string | undefined
  readonly counts: Map<string, number>
}

const dayMs = 86_400_000

async function rowsOf(connection: DuckDBConnection, query: string) {
  return (await connection.runAndReadAll(query)).getRowsJS()
}

/** Counts per slice by name: readings, flag:X, null:X, quarantined, waiting, letters, weak:X, dead:X. */
async function collect(
  connection: DuckDBConnection,
  lake: Lake,
  { devices, nowMs, days = 7 }: ReportInput,
): Promise<readonly Sums[]> {
  const slices = await createDeviceSlices(connection, devices)
  const siteNames = new Map(devices.map(({ site_id, site_name }) => [site_id, site_name]))
  const sums = slices.map((slice) => ({
    slice,
    siteName: siteNames.get(slice.siteId) ?? undefined,
    counts: new Map<string, number>(),
  }))
  const fromMs = nowMs - days * dayMs
  const relation = async (name: string) => {
    const table = lake.table(name)
    return table.relation(await table.snapshot())
  }
  const bySlice = async (table: string, name: string, where: string) =>
    rowsOf(
      connection,
      `SELECT slice, ${name}, count(*)::DOUBLE FROM ${await relation(table)} AS counted
        JOIN device_slices ON registered_id = counted.device_id WHERE ${where} GROUP BY ALL`,
    )
  const since = `>= ${sqlInstant(fromMs)}`
  const found = [
    ...(await bySlice(
      'quarantine_sensor_readings',
      "CASE WHEN quarantine_reason = 'GATE_FAILED' AND released_at IS NULL THEN 'waiting' ELSE 'quarantined' END",
      `timestamp_ingested ${since} AND released_at IS NULL`,
    )),
    ...(await bySlice('dead_letter_messages', "'letters'", `timestamp_ingested ${since}`)),
    ...(await bySlice(
      'sensor_health',
      "grade || ':' || sensor_name",
      `epoch_ms(graded_at) = ${await gradedAtMs(lake)}`,
    )),
  ]
  for (const [index, name, count] of found) {
    sums[Number(index)]?.counts.set(String(name), Number(count))
  }
  const byKey = new Map(sums.map((one) => [`${one.slice.siteId}\n${one.slice.firmware}`, one]))
  const date = new Date(fromMs).toISOString().slice(0, 10)
  const daily = await rowsOf(
    connection,
    `SELECT site_id, firmware_version, measure, sum(row_count)::DOUBLE
      FROM ${await relation('data_quality_daily_summary')} WHERE date >= '${date}' GROUP BY ALL`,
  )
  for (const [site, firmware, measure, count] of daily) {
    byKey.get(`${site}\n${firmware}`)?.counts.set(String(measure), Number(count))
  }
  return sums
}

type Part = Pick<PartFigures, 'siteId' | 'siteName' | 'firmware'>

function added(part: Part, members: readonly Sums[], open: readonly GateEntry[]): PartFigures {
  const counts = new Map<string, number>()
  for (const member of members) {
    for (const [name, count] of member.counts) counts.set(name, (counts.get(name) ?? 0) + count)
  }
  const readingCount = counts.get('readings') ?? 0
  const named = (prefix: string) =>
    [...counts]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, count]) => [name.slice(prefix.length), count] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
  const sumOf = (prefix: string) => named(prefix).reduce((sum, [, count]) => sum + count, 0)
  const own = open.filter(
    ({ scope }) =>
      (part.siteId === undefined || scope.siteId === part.siteId) &&
      (part.firmware === undefined || scope.firmware === part.firmware),
  )
  return {
    ...part,
    deviceCount: members.reduce((sum, { slice }) => sum + slice.deviceCount, 0),
    readingCount,
    flags: Object.fromEntries(named('flag:')),
    nullRates: Object.fromEntries(
      named('null:').map(([name, count]) => [name, count / Math.max(1, readingCount)]),
    ),
    quarantinedCount: counts.get('quarantined') ?? 0,
    waitingCount: counts.get('waiting') ?? 0,
    deadLetterCount: counts.get('letters') ?? 0,
    weakSensorCount: sumOf('weak:'),
    deadSensorCount: sumOf('dead:'),
    openGateIds: [...new Set(own.map(({ gateId }) => gateId))].toSorted(),
    state: own.some(({ holds }) => holds !== 'nothing')
      ? 'held'
      : own.length > 0
        ? 'warned'
        : 'good',
  }
}

const stateOrder = ['held', 'warned', 'good']

function inOrder(parts: readonly PartFigures[]): readonly PartFigures[] {
  return parts.toSorted(
    (a, b) =>
      stateOrder.indexOf(a.state) - stateOrder.indexOf(b.state) ||
      b.deadSensorCount - a.deadSensorCount ||
      (`${a.siteId} ${a.firmware}` < `${b.siteId} ${b.firmware}` ? -1 : 1),
  )
}

function sensorFigures(lake: Lake, sums: readonly Sums[]): readonly SensorFigures[] {
  const total = (name: string) => sums.reduce((sum, { counts }) => sum + (counts.get(name) ?? 0), 0)
  const readings = Math.max(1, total('readings'))
  return lake.fleet.sensors.map(({ name, label }) => ({
    name,
    label,
    nullRate: total(`null:${name}`) / readings,
    weakCount: total(`weak:${name}`),
    deadCount: total(`dead:${name}`),
  }))
}

/** Builds the report of a fleet; reads only. Cost: one pass over a week of the daily summary. */
export async function qualityReport(lake: Lake, input: ReportInput): Promise<QualityReport> {
  const { nowMs, days = 7, entries, expectations } = input
  const open = entries.filter(({ status }) => status === 'open')
  const sums = await lake.withConnection((connection) => collect(connection, lake, input))
  const grouped = (part: (one: Sums) => Part) =>
    inOrder(
      [...Map.groupBy(sums, (one) => JSON.stringify(part(one))).values()].map((members) =>
        added(part(members[0]!), members, open),
      ),
    )
  const site = ({ slice, siteName }: Sums): Part => ({
    siteId: slice.siteId,
    ...(siteName !== undefined && { siteName }),
  })
  const firmware = ({ slice }: Sums): Part => ({ firmware: slice.firmware })
  return {
    generatedAtMs: nowMs,
    fleet: lake.fleet.name,
    title: lake.fleet.title,
    days,
    fromMs: nowMs - days * dayMs,
    total: added({}, sums, open),
    sites: grouped(site),
    firmware: grouped(firmware),
    slices: grouped((one) => ({ ...site(one), ...firmware(one) })),
    sensors: sensorFigures(lake, sums),
    entries,
    expectations: expectations.map((one) => ({
      ...{ id: one.id, contract: one.contract, table: one.table, check: one.check },
      severity: one.severity,
      limit: one.limit ?? 0,
      holdLimit: one.hold?.limit ?? null,
      judgedBy: one.judgedBy.kind === 'writer' ? one.judgedBy.writer : one.judgedBy.kind,
      openCount: open.filter(({ gateId }) => gateId === one.id).length,
    })),
  }
}
