/** What a metric says; names end in the unit, counters in `_total`. */
export type MetricMeaning = {
  readonly name: string
  readonly kind: 'counter' | 'gauge'
  readonly labels: readonly string[]
  readonly meaning: string
}

const counter = (name: string, meaning: string, ...labels: readonly string[]): MetricMeaning => ({
  name,
  kind: 'counter',
  labels,
  meaning,
})
const gauge = (name: string, meaning: string, ...labels: readonly string[]): MetricMeaning => ({
  name,
  kind: 'gauge',
  labels,
  meaning,
})

/** Every metric of gateway, log, pipeline and process; those of HTTP are the HTTP server's own. */
export const metricCatalogue: readonly MetricMeaning[] = [
  counter(
    'gateway_messages_received_total',
    'Messages that came in, repeats and bad ones included',
  ),
  counter('gateway_messages_stored_total', 'Messages made durable in the log'),
  counter(
    'gateway_messages_duplicate_total',
    'Messages that were stored before, acknowledged again',
  ),
  counter('gateway_messages_refused_total', 'Messages that could not be read, by reason', 'reason'),
  counter('gateway_throttled_total', 'Messages and connections delayed or refused', 'scope'),
  counter('gateway_connects_total', 'Attempts to connect over MQTT, by outcome', 'result'),
  counter(
    'gateway_disconnects_total',
    'MQTT connections ended by the gateway, by reason',
    'reason',
  ),
  counter('gateway_append_errors_total', 'Appends that the log refused, by code', 'code'),
  counter(
    'gateway_presence_events_total',
    'Devices that came, left, fell silent, reported',
    'kind',
  ),
  counter('gateway_broker_failures_total', 'Connections to a foreign broker that broke'),
  gauge('gateway_connections', 'Open MQTT connections'),
  gauge('gateway_sessions', 'MQTT sessions of devices'),
  gauge('gateway_devices_online', 'Devices connected, or gone for less than a minute'),
  gauge('gateway_devices_silent', 'Devices that stopped reporting'),
  gauge('gateway_clocks_suspect', 'Devices whose clock seems to be in another time zone, ING-45'),
  gauge('gateway_in_flight_bytes', 'Payload bytes between arrival and durability'),
  gauge('gateway_log_stalled', '1 while the log takes nothing and nothing is acknowledged'),
  gauge('isotherm_log_end_offset', 'Records appended to a partition since its start', 'partition'),
  gauge('isotherm_log_size_bytes', 'Bytes of the segments kept', 'partition'),
  gauge('isotherm_log_segments', 'Segments kept', 'partition'),
  gauge('isotherm_log_oldest_seconds', 'Age of the oldest record kept', 'partition'),
  gauge('isotherm_log_newest_seconds', 'Age of the newest record', 'partition'),
  gauge('isotherm_log_lag_records', 'Records a consumer has not committed', 'group', 'partition'),
  gauge('isotherm_log_lag_seconds', 'Age of the oldest of those', 'group', 'partition'),
  gauge('isotherm_disk_used_share', 'Share of the disk in use, 0 to 1; refused from 0.95 on'),
  counter('isotherm_stage_runs_total', 'Runs of a stage', 'stage'),
  counter('isotherm_stage_failures_total', 'Runs of a stage that failed', 'stage'),
  counter('isotherm_stage_seconds_total', 'Time a stage has taken', 'stage'),
  counter('isotherm_stream_messages_total', 'Messages the stream rules saw, by outcome', 'outcome'),
  gauge('process_resident_memory_bytes', 'Memory of the process'),
  counter('process_cpu_seconds_total', 'Processor time of the process, user and system'),
  gauge('process_uptime_seconds', 'Time since the process started'),
  gauge('isotherm_event_loop_delay_seconds', '99th percentile of the last reading period'),
]
