import { writeFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { IsothermError } from '../../contracts/index.ts'
import {
  type GateEntryView,
  gateEntryView,
  type QualityView,
  qualityView,
  type SensorListView,
  sensorListView,
} from '../../http/index.ts'
import { type GateDecision, gateDecisions, reportHtml } from '../../quality/index.ts'
import { openQuality, readServerMarker } from '../../runtime/index.ts'
import { callServer } from '../call-server.ts'
import { countOf } from '../option-values.ts'
import { type CommonOptions, command, withDeployment } from '../program.ts'

const root = '/api/v1/quality'
const operator = { id: 'cli', role: 'admin' } as const

/** The report in the form asked for, from the server that owns the folder or directly. */
async function reportOf(options: CommonOptions, days: number) {
  const server = readServerMarker(options.data)
  if (server === undefined) {
    return withDeployment(options, async (deployment) => {
      const report = await openQuality(deployment).report({ days })
      return { view: qualityView(report), html: reportHtml(report) }
    })
  }
  const view = await callServer<QualityView>(server, { path: `${root}/report?days=${days}` })
  const path = `${root}/report-file?days=${days}`
  const { html } = await callServer<{ html: string }>(server, { path })
  return { view, html }
}

const scopeOf = ({ site_id, firmware_version }: GateEntryView) =>
  site_id === null ? 'whole fleet' : `${site_id} ${firmware_version ?? ''}`.trim()

const entryRow = (entry: GateEntryView) => ({
  entry: entry.entry_id,
  gate: entry.gate_id,
  where: scopeOf(entry),
  severity: entry.severity,
  status: entry.status,
  holds: entry.holds,
  rows: entry.row_count,
  found: entry.value,
  limit: entry.limit,
  since: entry.opened_at,
})

async function entriesOf(
  options: CommonOptions,
  status: 'open' | undefined,
): Promise<readonly GateEntryView[]> {
  const server = readServerMarker(options.data)
  if (server === undefined) {
    return withDeployment(options, async (deployment) =>
      (await openQuality(deployment).entries(status === undefined ? {} : { status })).map(
        gateEntryView,
      ),
    )
  }
  const query = status === undefined ? '' : `?status=${status}`
  return (await callServer<{ gates: GateEntryView[] }>(server, { path: `${root}/gates${query}` }))
    .gates
}

async function decide(
  options: CommonOptions,
  entryId: string,
  decision: GateDecision,
  note: string,
): Promise<GateEntryView> {
  const server = readServerMarker(options.data)
  if (server === undefined) {
    return withDeployment(options, async (deployment) =>
      gateEntryView(await openQuality(deployment).decide(entryId, decision, operator, note)),
    )
  }
  const path = `${root}/gates/${encodeURIComponent(entryId)}/decision`
  return callServer<GateEntryView>(server, { path, body: { decision, note } })
}

async function sensorsOf(options: CommonOptions, isGraded: boolean): Promise<SensorListView> {
  const server = readServerMarker(options.data)
  if (server !== undefined && !isGraded) {
    return callServer<SensorListView>(server, { path: `${root}/sensors` })
  }
  return withDeployment(options, async (deployment) => {
    const opened = openQuality(deployment)
    if (isGraded) await opened.grade()
    return sensorListView(await opened.sensors(5_000))
  })
}

function addReport(quality: Command): void {
  command<CommonOptions & { readonly days: string; readonly out?: string }>(
    quality,
    'report',
    'quality of the data per site, firmware and sensor; --out writes HTML or JSON by its ending',
    [
      new Option('--days <number>', 'days looked back').default('7'),
      new Option('--out <file>', 'write the whole report to report.html or report.json'),
    ],
    async (options, output) => {
      const { view, html } = await reportOf(options, countOf(options.days, 'days', 1))
      if (options.out !== undefined) {
        if (!/\.(html|json)$/.test(options.out)) {
          throw new IsothermError('INPUT_INVALID', '--out: give a file ending in .html or .json')
        }
        const isHtml = options.out.endsWith('.html')
        writeFileSync(options.out, isHtml ? html : `${JSON.stringify(view, null, 2)}\n`)
        output.line(`written to ${options.out}`)
      }
      if (output.isJson) {
        output.records([view])
        return
      }
      output.records(
        view.slices.map((part) => ({
          site: part.site_name ?? part.site_id,
          firmware: part.firmware_version,
          state: part.state,
          gates: part.open_gate_ids.join(' '),
          devices: part.device_count,
          readings: part.reading_count,
          waiting: part.waiting_count,
          'set aside': part.quarantined_count,
          unreadable: part.dead_letter_count,
          weak: part.weak_sensor_count,
          dead: part.dead_sensor_count,
        })),
      )
    },
  )
}

/** `isotherm quality ...`: gates, what waits behind them, and reports. */
export function addQuality(program: Command): void {
  const quality = program
    .command('quality')
    .description('quality of the data: gates and what waits behind them, sensors, reports')
  addReport(quality)
  command<CommonOptions & { readonly all?: boolean }>(
    quality,
    'gates',
    'open entries of quality gates, newest first',
    [new Option('--all', 'closed ones too')],
    async (options, output) => {
      const entries = await entriesOf(options, options.all === true ? undefined : 'open')
      output.records(output.isJson ? entries : entries.map(entryRow))
    },
  )
  command<CommonOptions & { readonly note: string }>(
    quality,
    'decide <entry> <decision>',
    'retry: judge the rows that wait again; release: take them as they are, faulty values nulled; discard: leave them out',
    [new Option('--note <text>', 'why, for the audit log').default('')],
    async (options, output, [entryId = '', decision = '']) => {
      const found = gateDecisions.find((one) => one === decision)
      if (found === undefined) {
        throw new IsothermError(
          'INPUT_INVALID',
          `decision ${decision}: expected ${gateDecisions.join(', ')}`,
        )
      }
      output.records([entryRow(await decide(options, entryId, found, options.note))])
    },
  )
  command<CommonOptions & { readonly grade?: boolean }>(
    quality,
    'sensors',
    'sensors that are weak or dead, with the reason; the service grades them every day',
    [new Option('--grade', 'grade them now over the last two days (no server may run)')],
    async (options, output) => {
      const { sensors } = await sensorsOf(options, options.grade === true)
      output.records(
        sensors.map(({ share: _share, row_count: rows, ...one }) => ({ ...one, rows })),
      )
    },
  )
  command<CommonOptions & { readonly granularity: 'hour' | 'day' }>(
    quality,
    'distribution',
    'compare the last whole hour or day with the 30 days before, per sensor and segment; the service does it by itself',
    [new Option('--granularity <length>', 'hour or day').choices(['hour', 'day']).default('day')],
    async (options, output) => {
      const shifts = await withDeployment(options, (deployment) =>
        openQuality(deployment).distribution(options.granularity),
      )
      output.records(shifts.map((shift) => ({ ...shift })))
    },
  )
  command<CommonOptions>(
    quality,
    'dropouts',
    'devices that did not report as they should in the last whole hour',
    [],
    async (options, output) => {
      const dropouts = await withDeployment(options, (deployment) =>
        openQuality(deployment).dropouts(),
      )
      output.records(
        dropouts.map(({ deviceId, state, readingCount }) => ({
          device: deviceId,
          state,
          readings: readingCount,
        })),
      )
    },
  )
  command<CommonOptions>(
    quality,
    'check',
    'judge what is new in the tables now; the service does it after each run',
    [],
    async (options, output) => {
      const entries = await withDeployment(options, async (deployment) => {
        const opened = openQuality(deployment)
        await opened.check()
        return opened.entries({ status: 'open' })
      })
      output.records(entries.map(gateEntryView).map(entryRow))
    },
  )
}
