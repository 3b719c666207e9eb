import { type Lake, withRows } from '../lake/index.ts'
import type { AlarmSeverity, FeatureFinding } from './findings.ts'

/** One alarm that stands open. */
export type OpenAlarm = {
  readonly finding: FeatureFinding
  readonly severity: AlarmSeverity
  readonly openedMs: number
  /** When it was last said. */
  readonly saidMs: number
  /** Clean looks in a row. */
  readonly cleanCount: number
}

/** What became of an alarm. */
export type AlarmEvent = {
  readonly atMs: number
  readonly event: 'opened' | 'escalated' | 'eased' | 'repeated' | 'closed'
  readonly severity: AlarmSeverity
  readonly finding: FeatureFinding
}

/** Open alarms by metric and subject. */
export type AlarmBook = ReadonlyMap<string, OpenAlarm>

/** An open alarm is said again after this time, MON-2. */
const repeatMs = 4 * 3_600_000
/** Clean evaluations that close it, MON-2. */
const cleanToClose = 3

const order: readonly AlarmSeverity[] = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL']

const keyOf = ({ metric, subject }: FeatureFinding) => `${metric}/${subject}`

function eventOf(
  known: OpenAlarm | undefined,
  severity: AlarmSeverity,
  nowMs: number,
): AlarmEvent['event'] | undefined {
  if (known === undefined) return 'opened'
  const rise = order.indexOf(severity) - order.indexOf(known.severity)
  if (rise > 0) return 'escalated'
  if (rise < 0) return 'eased'
  return nowMs - known.saidMs >= repeatMs ? 'repeated' : undefined
}

/**
 * One alarm per metric and subject: it opens at once, follows its severity up and down, is said
 * again every four hours, and closes after three clean looks in a row (MON-2).
 */
export function nextAlarms(
  book: AlarmBook,
  findings: readonly FeatureFinding[],
  nowMs: number,
): { readonly book: AlarmBook; readonly events: readonly AlarmEvent[] } {
  const next = new Map(book)
  const events: AlarmEvent[] = []
  for (const finding of findings) {
    const key = keyOf(finding)
    const known = book.get(key)
    const { severity } = finding
    if (severity !== null) {
      const event = eventOf(known, severity, nowMs)
      if (event !== undefined) events.push({ atMs: nowMs, event, severity, finding })
      next.set(key, {
        finding,
        severity,
        openedMs: known?.openedMs ?? nowMs,
        saidMs: event === undefined ? (known?.saidMs ?? nowMs) : nowMs,
        cleanCount: 0,
      })
    } else if (known !== undefined) {
      const cleanCount = known.cleanCount + 1
      if (cleanCount < cleanToClose) next.set(key, { ...known, finding, cleanCount })
      else {
        next.delete(key)
        events.push({ atMs: nowMs, event: 'closed', severity: known.severity, finding })
      }
    }
  }
  return { book: next, events }
}

/** Keeps events in `feature_alarms`; nothing to say costs nothing. */
export async function storeAlarms(
  lake: Lake,
  events: readonly AlarmEvent[],
  nowMs: number,
): Promise<void> {
  if (events.length === 0) return
  const table = lake.table('feature_alarms')
  const rows = events.map(({ atMs, event, severity, finding }) => ({
    alarm_at: atMs,
    metric: finding.metric,
    subject: finding.subject,
    event,
    severity,
    owner: finding.owner,
    value: finding.value,
    threshold: finding.threshold,
    detail: finding.detail,
  }))
  await withRows(lake.temporaryDirectory, table.contract, rows, (relation) =>
    lake.withConnection((connection) =>
      table.write({
        connection,
        query: `SELECT * FROM ${relation}`,
        operation: 'FEATURE ALARMS',
        nowMs,
      }),
    ),
  )
}

/** Alarms that stood open when the table was last written: a restart forgets none. */
export async function readAlarmBook(lake: Lake): Promise<AlarmBook> {
  const table = lake.table('feature_alarms')
  const snapshot = await table.snapshot()
  if (snapshot.files.length === 0) return new Map()
  const read = await lake.withConnection((connection) =>
    connection.runAndReadAll(`SELECT metric, subject, owner, severity, value, threshold, detail,
        epoch_ms(alarm_at)::DOUBLE, epoch_ms(opened)::DOUBLE
      FROM (SELECT *, max(alarm_at) FILTER (event = 'opened') OVER (PARTITION BY metric, subject) AS opened,
          row_number() OVER (PARTITION BY metric, subject ORDER BY alarm_at DESC) AS place
        FROM ${table.relation(snapshot)})
      WHERE place = 1 AND event <> 'closed'`),
  )
  const alarms = read.getRowsJS().map((cells): OpenAlarm => {
    const severity = cells[3] as AlarmSeverity
    const finding: FeatureFinding = {
      metric: cells[0] as FeatureFinding['metric'],
      subject: String(cells[1]),
      owner: cells[2] as FeatureFinding['owner'],
      severity,
      value: Number(cells[4]),
      threshold: Number(cells[5]),
      detail: String(cells[6]),
    }
    const saidMs = Number(cells[7])
    return { finding, severity, openedMs: Number(cells[8] ?? saidMs), saidMs, cleanCount: 0 }
  })
  return new Map(alarms.map((alarm) => [keyOf(alarm.finding), alarm]))
}
