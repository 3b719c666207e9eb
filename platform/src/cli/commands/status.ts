import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { IsothermError } from '../../contracts/index.ts'
import type { HealthView, LetterCounts } from '../../http/index.ts'
import { describeLog } from '../../log/index.ts'
import { readMetrics, readServerMarker, type ServerMarker } from '../../runtime/index.ts'
import { callServer, readServerText } from '../call-server.ts'
import { type CommonOptions, command, requireDataFolder } from '../program.ts'
import { type StatusFigures, statusLines } from '../status-lines.ts'

async function figuresOf(server: ServerMarker): Promise<StatusFigures> {
  const health = await callServer<HealthView>(server, { path: '/api/v1/health' })
  const letters = await callServer<LetterCounts>(server, { path: '/api/v1/dead-letters/counts' })
  const samples = readMetrics(await readServerText(server, '/metrics'))
  const sum = (name: string) =>
    samples.reduce((total, sample) => total + (sample.name === name ? sample.value : 0), 0)
  const most = (name: string) =>
    samples.reduce((top, sample) => (sample.name === name ? Math.max(top, sample.value) : top), 0)
  return {
    url: server.url,
    processId: server.processId,
    state: health.status,
    uptimeSeconds: sum('process_uptime_seconds'),
    memoryBytes: sum('process_resident_memory_bytes'),
    connections: sum('gateway_connections'),
    online: sum('gateway_devices_online'),
    silent: sum('gateway_devices_silent'),
    received: sum('gateway_messages_received_total'),
    stored: sum('gateway_messages_stored_total'),
    duplicates: sum('gateway_messages_duplicate_total'),
    refused: sum('gateway_messages_refused_total'),
    throttled: sum('gateway_throttled_total'),
    isStalled: sum('gateway_log_stalled') > 0,
    logBytes: sum('isotherm_log_size_bytes'),
    lagSeconds: most('isotherm_log_lag_seconds'),
    diskUsedShare: sum('isotherm_disk_used_share'),
    openLetters: letters.counts.reduce(
      (total, { status, count }) => total + (status === 'new' ? count : 0),
      0,
    ),
    newestReadingAt: health.newest_reading_at,
    newestScoredAt: health.newest_scored_at,
    troubles: health.components
      .filter(({ state }) => state !== 'ok')
      .map(({ name, state, detail }) => `${name} ${state}: ${detail}`),
  }
}

/** `isotherm status`: how the server of a data folder does, on one screen. */
export function addStatus(program: Command): void {
  command<CommonOptions>(
    program,
    'status',
    'how the server of a data folder does: devices, messages, log, stages, troubles',
    [],
    async (options, output) => {
      const server = readServerMarker(options.data)
      if (server === undefined) {
        const log = join(resolve(requireDataFolder(options.data)), 'log')
        const records = existsSync(join(log, 'log.json'))
          ? describeLog(log, Date.now()).partitions.reduce((sum, one) => sum + one.endOffset, 0)
          : 0
        throw new IsothermError(
          'CONFLICT',
          `no server runs on ${resolve(options.data)} (${records} records in its log): ` +
            'start isotherm up',
        )
      }
      const figures = await figuresOf(server)
      if (output.isJson) output.records([figures])
      else for (const line of statusLines(figures, Date.now())) output.line(line)
      if (figures.state === 'failed') process.exitCode = 1
    },
  )
}
