import { quoteName } from '../contracts/index.ts'
import { type JobContext, type Lake, withRows } from '../lake/index.ts'
import type { AlertStore } from '../objects/index.ts'

/** How many rows a copy wrote. */
export type AlertCopyOutcome = { readonly alertCount: number; readonly labelCount: number }

const appId = 'state/changes'
const changesPerCopy = 10_000

type Rows = readonly Readonly<Record<string, unknown>>[]

/** Replaces rows of the same key and adds the new ones; files without such rows stay. */
async function upsertRows(
  { lake, nowMs }: JobContext,
  tableName: string,
  keyColumn: string,
  rows: Rows,
  sequence: number,
): Promise<void> {
  const table = lake.table(tableName)
  if (((await table.position(appId)) ?? -1) >= sequence) return
  await lake.withConnection((connection) =>
    withRows(lake.temporaryDirectory, table.contract, rows, async (added) => {
      const snapshot = await table.snapshot()
      const key = quoteName(keyColumn)
      const known = table.relation(snapshot)
      const repeated = await connection.runAndReadAll(
        `SELECT count(*) FROM ${known} WHERE ${key} IN (SELECT ${key} FROM ${added})`,
      )
      const replaces = Number(repeated.getRows()[0]?.[0]) === 0 ? [] : snapshot.files
      const kept =
        replaces.length === 0
          ? ''
          : ` UNION ALL BY NAME SELECT * FROM ${known} WHERE ${key} NOT IN (SELECT ${key} FROM ${added})`
      await table.write({
        connection,
        query: `SELECT * FROM ${added}${kept}`,
        replaces,
        readVersion: snapshot.version,
        positions: [{ appId, version: sequence }],
        operation: 'COPY ALERTS',
        nowMs,
      })
    }),
  )
}

/** Sequence up to which the lake has the state store's alerts and labels. */
async function copiedSequence(lake: Lake): Promise<number> {
  const alerts = await lake.table('device_alerts').position(appId)
  const labels = await lake.table('label_events').position(appId)
  return Math.min(alerts ?? 0, labels ?? 0)
}

/**
 * Copies alerts and labels that changed since the last copy into `device_alerts` and
 * `label_events`. Safe to repeat: both tables carry the sequence they stand at.
 */
export async function alertCopyJob(
  context: JobContext,
  alerts: AlertStore,
): Promise<AlertCopyOutcome> {
  const total = { alertCount: 0, labelCount: 0 }
  for (;;) {
    const from = await copiedSequence(context.lake)
    const changes = await alerts.changesSince(from, changesPerCopy)
    if (changes.sequence <= from) return total
    const { sequence } = changes
    await upsertRows(context, 'device_alerts', 'alert_id', changes.alerts, sequence)
    await upsertRows(context, 'label_events', 'label_id', changes.labels, sequence)
    total.alertCount += changes.alerts.length
    total.labelCount += changes.labels.length
    if (!changes.more) return total
  }
}
