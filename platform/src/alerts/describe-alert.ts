import {
  type FeatureColumn,
  type FleetDefinition,
  featureColumns,
  type Severity,
} from '../contracts/index.ts'
import { slaPeriodMs, visitPeriodMs } from '../objects/index.ts'
import { formatNormal, formatOf, formatValue } from './format-value.ts'
import { asSentenceStart, plainPhrase } from './plain-phrase.ts'
import type { Contributor } from './scored-window.ts'

/** Title and description of an alert, for a technician. */
export type AlertText = { readonly title: string; readonly description: string }

/** Contributors named in the description. */
const maxNamed = 3

/** Features of a fleet by name; build once per run. */
export type FeatureIndex = ReadonlyMap<string, FeatureColumn>

/** The features of a fleet by column name. */
export function indexFeatures(fleet: FleetDefinition): FeatureIndex {
  return new Map(featureColumns(fleet).map((feature) => [feature.name, feature]))
}

/** `2026-02-15 10:00 UTC`. */
export function formatInstant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

function formatSpan(ms: number): string {
  const minutes = ms / 60_000
  return minutes < 60 ? `${minutes} min` : `${minutes / 60} h`
}

/** The line every alert ends with: what is expected of the reader, and until when, SRV-42. */
export function timeToAct(severity: Severity, nowMs: number): string {
  const visitMs = visitPeriodMs(severity)
  const visit = visitMs === undefined ? '' : ` Be on site within ${formatSpan(visitMs)}.`
  const periodMs = slaPeriodMs(severity)
  return `Acknowledge within ${formatSpan(periodMs)}, by ${formatInstant(nowMs + periodMs)}.${visit}`
}

function contributorPhrase(contributor: Contributor, features: FeatureIndex): string {
  const { feature: name, value, referenceMedian, referenceScale, direction } = contributor
  const feature = features.get(name)
  if (feature === undefined)
    return `${name} is ${direction === 'high' ? 'higher' : 'lower'} than usual`
  const format = formatOf(feature)
  const normal = formatNormal(referenceMedian, referenceScale, format)
  const phrase = plainPhrase(feature, direction)
  if (value === null) return `${phrase}, normally ${normal}`
  return `${phrase}: ${formatValue(value, format)}, normally ${normal}`
}

/**
 * Puts an alert from scores into plain words: what is unusual, by how much, since when, what it
 * usually means and what to check first. A score is no probability, so none is mentioned (OBJ-7).
 */
export function describeAlert(options: {
  readonly fleet: FleetDefinition
  readonly features: FeatureIndex
  readonly contributors: readonly Contributor[]
  readonly severity: Severity
  readonly modelIds: readonly string[]
  /** Start of the episode. */
  readonly sinceMs: number
  readonly durationMinutes: number
  readonly nowMs: number
}): AlertText {
  const { fleet, features, contributors } = options
  const phrases = contributors
    .slice(0, maxNamed)
    .map((contributor) => asSentenceStart(contributorPhrase(contributor, features)))
  const title = phrases[0] ?? `Unusual behaviour of this ${fleet.deviceNoun}`
  const hints = contributors
    .slice(0, maxNamed)
    .map(({ feature, direction }) =>
      fleet.hints.find((hint) => hint.feature === feature && hint.direction === direction),
    )
  const hint = hints.find((found) => found !== undefined)
  const models = options.modelIds.length
  const description = [
    `This ${fleet.deviceNoun} behaves unusually since ${formatInstant(options.sinceMs)}, seen over ${options.durationMinutes} min.`,
    ...phrases.map((phrase) => `${phrase}.`),
    ...(hint === undefined ? [] : [hint.text]),
    models > 1 ? `${models} models agree.` : `Raised by one model, ${options.modelIds[0]}.`,
    timeToAct(options.severity, options.nowMs),
  ]
  return { title, description: description.join('\n') }
}
