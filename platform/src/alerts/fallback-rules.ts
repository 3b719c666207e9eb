import type { FleetDefinition, LimitRule } from '../contracts/index.ts'
import { type AlertChange, type AlertRecord, type State, uuidV5 } from '../objects/index.ts'
import { type FeatureIndex, formatInstant, indexFeatures, timeToAct } from './describe-alert.ts'
import { episodeHistoryMs } from './episode.ts'
import { formatOf, formatValue } from './format-value.ts'
import { unassignedSite } from './new-alert.ts'
import { placeAlert } from './place-alert.ts'
import { asSentenceStart } from './plain-phrase.ts'
import { ruleModelIds } from './scored-window.ts'
import { coveringStreamingAlert } from './streaming-verdict.ts'

/** Version of the way fallback rules are judged, stored as `model_version`. */
const ruleVersion = '1.0.0'

/** A feature row as the fallback rules need it. */
export type FallbackRow = {
  readonly deviceId: string
  readonly windowStartMs: number
  readonly windowEndMs: number
  readonly durationMinutes: number
  /** Values of the features named by the fleet's fallback rules; absent means null. */
  readonly values: Readonly<Record<string, number | null | undefined>>
}

/** Rules that a row breaks, SRV-36. A comparison with null is false. */
export function brokenRules(
  rules: readonly LimitRule[],
  values: FallbackRow['values'],
): readonly LimitRule[] {
  return rules.filter(({ feature, above, below, unlessPositive }) => {
    const value = values[feature]
    if (value === undefined || value === null) return false
    if (unlessPositive !== undefined && (values[unlessPositive] ?? 0) > 0) return false
    return (above !== undefined && value > above) || (below !== undefined && value < below)
  })
}

function phrase(rule: LimitRule, value: number, features: FeatureIndex): string {
  const feature = features.get(rule.feature)
  const show = (number: number) =>
    feature === undefined ? String(number) : formatValue(number, formatOf(feature))
  const isAbove = rule.above !== undefined && value > rule.above
  const limit = isAbove ? rule.above : rule.below
  const label = asSentenceStart(feature?.label ?? rule.feature)
  return `${label} is ${show(value)}, ${isAbove ? 'above' : 'below'} the limit of ${show(limit ?? value)}`
}

function raise(
  options: {
    readonly fleet: FleetDefinition
    readonly features: FeatureIndex
    readonly siteOf: (deviceId: string, ms: number) => string | undefined
    readonly nowMs: number
  },
  row: FallbackRow,
  history: readonly AlertRecord[],
): readonly AlertChange[] {
  const { fleet, features, nowMs } = options
  const broken = brokenRules(fleet.fallbackRules, row.values)
  const [first] = broken
  if (first === undefined) return []
  const phrases = broken.map((rule) => phrase(rule, row.values[rule.feature] ?? 0, features))
  const severity = broken.length >= 2 ? 'HIGH' : 'MEDIUM'
  const description = [
    ...phrases.map((text) => `${text}.`),
    `Seen in the ${row.durationMinutes} min up to ${formatInstant(row.windowEndMs)}. The models have no fresh scores; fixed limits raised this alert.`,
    timeToAct(severity, nowMs),
  ]
  const windowStart = new Date(row.windowStartMs).toISOString()
  return placeAlert(
    {
      alertId: uuidV5(
        row.deviceId,
        ruleModelIds.fallback,
        first.feature,
        windowStart,
        String(row.durationMinutes),
      ),
      deviceId: row.deviceId,
      siteId: options.siteOf(row.deviceId, row.windowEndMs) ?? unassignedSite,
      severity,
      title: phrases[0]!,
      description: description.join('\n'),
      modelId: ruleModelIds.fallback,
      modelVersion: ruleVersion,
      modelIds: [ruleModelIds.fallback],
      triggerCategory: 'sensor_out_of_range',
      score: null,
      scoreId: null,
      contributors: broken.map(({ feature }) => feature),
      detectedMs: row.windowEndMs,
      lastBreachMs: row.windowEndMs,
    },
    history,
    nowMs,
    coveringStreamingAlert(fleet, features.get(first.feature)?.group, history),
  )
}

/**
 * Raises alerts from fixed limits on the rows of one window, for the time when scores are very
 * stale (SRV-36): one broken rule is MEDIUM, two or more are HIGH. Never writes scores.
 */
export async function runFallbackRules(options: {
  readonly state: State
  readonly fleet: FleetDefinition
  readonly rows: readonly FallbackRow[]
  readonly nowMs: number
}): Promise<{ readonly createdCount: number }> {
  const { state, fleet, nowMs } = options
  const flagged = options.rows
    .filter(({ values }) => brokenRules(fleet.fallbackRules, values).length > 0)
    .toSorted((left, right) => (left.deviceId < right.deviceId ? -1 : 1))
  if (flagged.length === 0) return { createdCount: 0 }
  const history = Map.groupBy(
    await state.alerts.recent(
      flagged.map(({ deviceId }) => deviceId),
      nowMs - episodeHistoryMs,
    ),
    ({ row }) => row.device_id,
  )
  const context = {
    fleet,
    features: indexFeatures(fleet),
    siteOf: (deviceId: string, ms: number) => state.registry.deviceAsOf(deviceId, ms)?.site_id,
    nowMs,
  }
  const changes = flagged.flatMap((row) => raise(context, row, history.get(row.deviceId) ?? []))
  const { created } = await state.alerts.apply(changes)
  return { createdCount: created.length }
}
