import { featureColumns, quoteName } from '../../contracts/index.ts'
import type { Lake } from '../../lake/index.ts'
import type { AlertRow } from '../../objects/index.ts'
import type { Contributor } from '../schemas/alert-schema.ts'
import { hintOf } from './latest-features.ts'
import { readRows, relationWhere, sqlText, utcDate } from './live-files.ts'
import { type ReferenceLevels, readReferenceLevels } from './reference-levels.ts'

/** What stands behind an alert: its window and its reasons with values. */
export type Evidence = {
  readonly contributors: readonly Contributor[]
  readonly confidence: 'normal' | 'low' | null
  readonly windowStartMs: number | null
  readonly windowEndMs: number | null
}

type Row = Readonly<Record<string, unknown>>
type Alert = Pick<
  AlertRow,
  'alert_id' | 'device_id' | 'score_id' | 'top_contributors' | 'alert_created_at'
> & { readonly cohortId: string | null }

const dayMs = 86_400_000

const parsedList = (value: unknown): readonly unknown[] => {
  const list: unknown = JSON.parse(String(value ?? '[]'))
  return Array.isArray(list) ? list : []
}

async function scoreRows(lake: Lake, alerts: readonly Alert[]): Promise<ReadonlyMap<string, Row>> {
  const ids = alerts.flatMap(({ score_id: id }) => (id === null ? [] : [id]))
  if (ids.length === 0) return new Map()
  // A run is scored before its alerts are written, at most some hours before.
  const created = alerts.map(({ alert_created_at: at }) => at)
  const relation = await relationWhere(lake, 'model_scores', {
    scored_at_date: {
      min: utcDate(Math.min(...created) - dayMs),
      max: utcDate(Math.max(...created) + dayMs),
    },
  })
  if (relation === undefined) return new Map()
  const rows = await readRows(
    lake,
    `SELECT score_id, device_id, window_duration_minutes, confidence,
       epoch_ms(window_start)::DOUBLE AS window_start, epoch_ms(window_end)::DOUBLE AS window_end,
       to_json(top_contributors)::VARCHAR AS names,
       to_json(contributor_scores)::VARCHAR AS weights,
       to_json(contributor_directions)::VARCHAR AS directions
     FROM ${relation} WHERE score_id IN (${ids.map(sqlText).join(', ')})`,
  )
  return new Map(rows.map((row) => [String(row.score_id), row]))
}

const windowKey = (row: Row) =>
  `${row.device_id} ${row.window_start} ${row.window_duration_minutes}`

async function featureRows(
  lake: Lake,
  scores: readonly Row[],
  names: readonly string[],
): Promise<ReadonlyMap<string, Row>> {
  if (scores.length === 0 || names.length === 0) return new Map()
  const starts = scores.map((row) => Number(row.window_start))
  const relation = await relationWhere(lake, 'device_features', {
    window_date: { min: utcDate(Math.min(...starts)), max: utcDate(Math.max(...starts)) },
  })
  if (relation === undefined) return new Map()
  const wanted = scores.map(
    (row) =>
      `(${sqlText(String(row.device_id))}, ${Number(row.window_start)}, ${Number(row.window_duration_minutes)})`,
  )
  const rows = await readRows(
    lake,
    `SELECT device_id, epoch_ms(window_start)::DOUBLE AS window_start, window_duration_minutes,
       ${names.map((name) => `${quoteName(name)}::DOUBLE AS ${quoteName(name)}`).join(', ')}
     FROM ${relation}
     WHERE (device_id, epoch_ms(window_start), window_duration_minutes) IN (${wanted.join(', ')})`,
  )
  return new Map(rows.map((row) => [windowKey(row), row]))
}

/** Names that a rule puts in `top_contributors` are sensors, those of models are features. */
function describe(lake: Lake, name: string) {
  const column = featureColumns(lake.fleet).find((feature) => feature.name === name)
  if (column !== undefined) return column
  const sensor = lake.fleet.sensors.find((item) => item.name === name)
  return sensor ?? { label: name.replaceAll('_', ' '), unit: '', group: '' }
}

function contributorsOf(
  lake: Lake,
  alert: Alert,
  score: Row | undefined,
  features: Row | undefined,
  levels: ReferenceLevels,
): readonly Contributor[] {
  const names = (score === undefined ? alert.top_contributors : parsedList(score.names)) ?? []
  const weights = parsedList(score?.weights)
  const directions = parsedList(score?.directions)
  const scope = { deviceId: alert.device_id, cohortId: alert.cohortId }
  const minutes = Number(score?.window_duration_minutes ?? 0)
  return names.map(String).map((name, index) => {
    const { label, unit, group } = describe(lake, name)
    const stored = directions[index]
    const direction = stored === 'high' || stored === 'low' ? stored : null
    const weight = weights[index]
    const value = features?.[name]
    return {
      feature: name,
      label,
      unit,
      group,
      direction,
      weight: typeof weight === 'number' ? weight : null,
      value: typeof value === 'number' ? value : null,
      normal: score === undefined ? null : levels.of(scope, name, minutes),
      hint: hintOf(lake.fleet, name, direction),
    }
  })
}

/** Evidence that is kept; what stands behind an alert does not change. */
const keptCount = 5000

/**
 * Reads what stands behind alerts: score rows, feature rows and normal levels, three queries for a
 * whole page. Complete evidence is kept in memory, so that a list costs nothing the second time.
 */
export function createEvidenceReader(
  lake: Lake,
): (alerts: readonly Alert[]) => Promise<ReadonlyMap<string, Evidence>> {
  const kept = new Map<string, Evidence>()
  const keyOf = (alert: Alert) => `${alert.alert_id} ${alert.score_id ?? ''}`
  const keep = (key: string, evidence: Evidence) => {
    kept.set(key, evidence)
    const oldest = kept.keys().next()
    if (kept.size > keptCount && oldest.done !== true) kept.delete(oldest.value)
  }
  return async (alerts) => {
    const missing = alerts.filter((alert) => !kept.has(keyOf(alert)))
    const fresh = new Map<string, Evidence>()
    if (missing.length > 0) {
      const scores = await scoreRows(lake, missing)
      const known = new Set(featureColumns(lake.fleet).map(({ name }) => name))
      const named = [...scores.values()].flatMap((row) => parsedList(row.names).map(String))
      const names = [...new Set(named)].filter((name) => known.has(name))
      const scopes = missing.map(({ device_id, cohortId }) => ({ deviceId: device_id, cohortId }))
      const [features, levels] = await Promise.all([
        featureRows(lake, [...scores.values()], names),
        readReferenceLevels(lake, scopes),
      ])
      for (const alert of missing) {
        const score = alert.score_id === null ? undefined : scores.get(alert.score_id)
        const row = score && features.get(windowKey(score))
        const evidence: Evidence = {
          contributors: contributorsOf(lake, alert, score, row, levels),
          confidence: score === undefined ? null : score.confidence === 'low' ? 'low' : 'normal',
          windowStartMs: score === undefined ? null : Number(score.window_start),
          windowEndMs: score === undefined ? null : Number(score.window_end),
        }
        fresh.set(keyOf(alert), evidence)
        if (row !== undefined) keep(keyOf(alert), evidence)
      }
    }
    return new Map(
      alerts.flatMap((alert) => {
        const evidence = kept.get(keyOf(alert)) ?? fresh.get(keyOf(alert))
        return evidence === undefined ? [] : [[alert.alert_id, evidence] as const]
      }),
    )
  }
}
