import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Gateway } from '../gateway/index.ts'
import { metricsText, type Sample } from './metrics-text.ts'
import type { Operation } from './operation.ts'

function stageSamples(operation: Operation): readonly Sample[] {
  return operation.health().flatMap(({ stage, runCount, failureCount, totalSeconds }) => [
    { name: 'isotherm_stage_runs_total', labels: { stage }, value: runCount },
    { name: 'isotherm_stage_failures_total', labels: { stage }, value: failureCount },
    { name: 'isotherm_stage_seconds_total', labels: { stage }, value: totalSeconds },
  ])
}

function logSamples({ logWatch }: Operation, nowMs: number): readonly Sample[] {
  const lags = logWatch.groups().flatMap((position) => {
    const labels = { group: position.group, partition: String(position.partition) }
    return [
      { name: 'isotherm_log_lag_records', labels, value: position.lagRecords },
      { name: 'isotherm_log_lag_seconds', labels, value: position.lagSeconds },
    ]
  })
  const sizes = logWatch.partitions().flatMap((partition) => {
    const labels = { partition: String(partition.partition) }
    const ages = [
      ['isotherm_log_oldest_seconds', partition.firstIngestedAtMs] as const,
      ['isotherm_log_newest_seconds', partition.lastIngestedAtMs] as const,
    ].flatMap(([name, atMs]) =>
      atMs === undefined ? [] : [{ name, labels, value: Math.max(0, nowMs - atMs) / 1_000 }],
    )
    return [
      { name: 'isotherm_log_end_offset', labels, value: partition.endOffset },
      { name: 'isotherm_log_size_bytes', labels, value: partition.sizeBytes },
      { name: 'isotherm_log_segments', labels, value: partition.segmentCount },
      ...ages,
    ]
  })
  return [
    ...lags,
    ...sizes,
    { name: 'isotherm_disk_used_share', labels: {}, value: logWatch.diskUsedShare() },
  ]
}

function processSamples(delay: ReturnType<typeof monitorEventLoopDelay>): readonly Sample[] {
  const { user, system } = process.cpuUsage()
  const seconds = (microseconds: number) => microseconds / 1e6
  const waited = delay.count === 0 ? 0 : delay.percentile(99) / 1e9
  delay.reset()
  const one = (name: string, value: number): Sample => ({ name, labels: {}, value })
  return [
    one('process_resident_memory_bytes', process.memoryUsage.rss()),
    one('process_cpu_seconds_total', seconds(user + system)),
    one('process_uptime_seconds', process.uptime()),
    one('isotherm_event_loop_delay_seconds', waited),
  ]
}

/** Metrics of a running server, as Prometheus text, and the way to stop measuring. */
export type ServerMetrics = { readonly text: () => string; readonly close: () => void }

/** Gathers what gateway, log, pipeline and process say of themselves. */
export function serverMetrics(
  gateway: Gateway,
  operation: Operation,
  clock: () => number,
): ServerMetrics {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  return {
    text: () => {
      const rules = Object.entries(operation.streamRules.counts()).map(
        ([outcome, value]): Sample => ({
          name: 'isotherm_stream_messages_total',
          labels: { outcome },
          value,
        }),
      )
      return metricsText([
        ...gateway.metrics(),
        ...stageSamples(operation),
        ...rules,
        ...logSamples(operation, clock()),
        ...processSamples(delay),
      ])
    },
    close: () => delay.disable(),
  }
}
