import { type FallbackRow, runFallbackRules } from '../alerts/index.ts'
import { type LimitRule, quoteName } from '../contracts/index.ts'
import { completeUntilMs } from '../features/index.ts'
import { FALLBACK_AGE_MS, scoreFreshness } from '../scoring/index.ts'
import type { Deployment } from './deployment.ts'

/** Setting: end of the newest window the fallback rules have judged, epoch ms. */
const judgedSetting = 'fallback.judged_until'

/** Setting: when the newest good scores were made, epoch ms. */
export const scoredSetting = 'scores.last_good'

const minuteMs = 60_000

function ruleFeatures(rules: readonly LimitRule[]): readonly string[] {
  const names = rules.flatMap(({ feature, unlessPositive }) =>
    unlessPositive === undefined ? [feature] : [feature, unlessPositive],
  )
  return [...new Set(names)].toSorted()
}

async function readRows(
  { lake, fleet }: Deployment,
  minutes: number,
  windowEndMs: number,
): Promise<readonly FallbackRow[]> {
  const table = lake.table('device_features')
  const snapshot = await table.snapshot()
  const windowStartMs = windowEndMs - minutes * minuteMs
  const date = new Date(windowStartMs).toISOString().slice(0, 10)
  const files = snapshot.files.filter(
    ({ partitionValues }) =>
      partitionValues.window_date === date &&
      partitionValues.window_duration_minutes === String(minutes),
  )
  const names = ruleFeatures(fleet.fallbackRules)
  const found = await lake.withConnection((connection) =>
    connection.runAndReadAll(`
      SELECT device_id, ${names.map(quoteName).join(', ')}
      FROM ${table.relation(snapshot, files)}
      WHERE window_start = make_timestamptz(${windowStartMs} * 1000) AND NOT late_created`),
  )
  return found.getRows().map(([deviceId, ...values]) => ({
    deviceId: String(deviceId),
    windowStartMs,
    windowEndMs,
    durationMinutes: minutes,
    values: Object.fromEntries(
      names.map((name, i) => [name, typeof values[i] === 'number' ? values[i] : null]),
    ),
  }))
}

/**
 * Judges the newest complete short window by the fleet's fixed limits while there are no scores
 * or they are very stale (SRV-36): before the first training, and when scoring fails. Stale
 * features are not judged (SRV-34).
 */
export async function runFallback(deployment: Deployment): Promise<{ createdCount: number }> {
  const { state, fleet, lake, clock } = deployment
  const nowMs = clock()
  const lastGood = await state.settings.get(scoredSetting)
  const freshness = scoreFreshness(typeof lastGood === 'number' ? lastGood : undefined, nowMs)
  const isNeeded = freshness === 'very_stale' || freshness === 'expired'
  if (!isNeeded || fleet.fallbackRules.length === 0) return { createdCount: 0 }
  const minutes = Math.min(...fleet.windowMinutes)
  const untilMs = await completeUntilMs(lake, minutes)
  const judged = await state.settings.get(judgedSetting)
  if (untilMs === undefined || (typeof judged === 'number' && judged >= untilMs)) {
    return { createdCount: 0 }
  }
  if (nowMs - untilMs > FALLBACK_AGE_MS) return { createdCount: 0 }
  const rows = await readRows(deployment, minutes, untilMs)
  const outcome = await runFallbackRules({ state, fleet, rows, nowMs })
  await state.settings.set(judgedSetting, untilMs)
  return outcome
}
