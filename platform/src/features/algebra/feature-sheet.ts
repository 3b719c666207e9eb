import {
  type FeatureDefinition,
  type FleetDefinition,
  featureColumns,
  operandsOf,
  type SeriesFormula,
  selectFeatures,
  sensorsOf,
} from '../../contracts/index.ts'
import { featureVersion } from '../feature-version.ts'
import { windowRules } from '../window-rules.ts'
import { type Dialect, duckdbDialect, sparkDialect } from './dialect.ts'
import { featureQuery } from './feature-query.ts'
import { featureText } from './feature-text.ts'
import { featureDefinition } from './model-features.ts'
import { rowFeaturesQuery } from './row-query.ts'
import { seriesQuery } from './series-query.ts'
import { windowSumsQuery } from './window-sums.ts'

/** Where a feature lives: in `device_features`, made for a model, or from single readings. */
export type FeatureKind = 'stored' | 'model_input' | 'experimental'

/** Everything about a feature that its definition says. */
export type FeatureSheet = {
  readonly name: string
  readonly label: string
  readonly unit: string
  readonly group: string
  readonly resolution: number
  readonly kind: FeatureKind
  /** In words. */
  readonly formula: string
  readonly nullWhen: string
  readonly sensors: readonly string[]
  readonly builtOn: readonly string[]
  /** Models, operating modes, rules and hints that read it. */
  readonly usedBy: readonly string[]
}

function isSeries(definition: FeatureDefinition): definition is FeatureDefinition<SeriesFormula> {
  return ['correlation', 'spectral', 'starts'].includes(definition.formula.kind)
}

function kindOf(fleet: FleetDefinition, definition: FeatureDefinition): FeatureKind {
  if (isSeries(definition)) return 'experimental'
  return featureColumns(fleet).some(({ name }) => name === definition.name)
    ? 'stored'
    : 'model_input'
}

function usersOf(fleet: FleetDefinition, name: string): readonly string[] {
  const derived = [...fleet.derivedFeatures, ...(fleet.modelFeatures ?? [])]
  return [
    ...fleet.models
      .filter(({ features }) => selectFeatures(fleet, features).includes(name))
      .map(({ modelId, windowMinutes }) => `model ${modelId} (${windowMinutes.join(', ')} min)`),
    ...fleet.operatingModes
      .filter(({ feature }) => feature === name)
      .map((mode) => `operating mode ${mode.name}`),
    ...(fleet.fallbackRules.some(({ feature }) => feature === name) ? ['fallback rule'] : []),
    ...(fleet.yardstickRules.some(({ feature }) => feature === name) ? ['yardstick rule'] : []),
    ...(fleet.hints.some(({ feature }) => feature === name) ? ['hint to technicians'] : []),
    ...derived
      .filter(({ formula }) => operandsOf(formula).includes(name))
      .map((feature) => `feature ${feature.name}`),
  ]
}

/** What a definition says, in words. @throws IsothermError as `featureDefinition` */
export function featureSheet(fleet: FleetDefinition, name: string): FeatureSheet {
  const definition = featureDefinition(fleet, name)
  const { label, unit, group, resolution, formula } = definition
  const text = featureText(formula)
  return {
    ...{ name, label, unit, group, resolution },
    kind: kindOf(fleet, definition),
    formula: text.formula,
    nullWhen: text.nullRule,
    sensors: sensorsOf(formula),
    builtOn: operandsOf(formula),
    usedBy: usersOf(fleet, name),
  }
}

/** Sheets of the stored features and of those the fleet declares beside them. */
export function featureSheets(fleet: FleetDefinition): readonly FeatureSheet[] {
  return [...featureColumns(fleet), ...(fleet.modelFeatures ?? [])].map(({ name }) =>
    featureSheet(fleet, name),
  )
}

/** Stored features that one is made of, itself included. */
function storedParts(fleet: FleetDefinition, name: string): ReadonlySet<string> {
  const { formula } = featureDefinition(fleet, name)
  return new Set([
    name,
    ...operandsOf(formula).flatMap((operand) => [...storedParts(fleet, operand)]),
  ])
}

/** The fleet with one stored feature and what it is made of; quality columns stay. */
function narrowed(fleet: FleetDefinition, name: string): FleetDefinition {
  const parts = storedParts(fleet, name)
  return {
    ...fleet,
    sensors: fleet.sensors.map((sensor) => ({
      ...sensor,
      aggregates: sensor.aggregates.filter((one) => parts.has(`${sensor.short}_${one}`)),
    })),
    derivedFeatures: fleet.derivedFeatures.filter((derived) => parts.has(derived.name)),
    operatingModes: [],
  }
}

function storedSql(
  dialect: Dialect,
  fleet: FleetDefinition,
  minutes: number,
  range: { readonly startMs: number; readonly endMs: number },
): string {
  const rule = windowRules(fleet).find((one) => one.minutes === minutes) ?? windowRules(fleet)[0]
  if (rule === undefined) throw new RangeError(`fleet ${fleet.name} has no windows`)
  const sums = windowSumsQuery(dialect, fleet, {
    relation: 'clean_sensor_readings',
    rule,
    ...range,
  })
  const tables = { sums: 'window_sums', ownSensors: 'own_sensors' }
  const provenance = {
    ...{ rule, featureVersion: featureVersion(fleet), cleanVersion: 0, nowMs: range.endMs },
    ...{ finalUntilMs: range.endMs, lateFinalUntilMs: range.endMs },
  }
  const own =
    `own_sensors AS (SELECT CAST(NULL AS ${dialect.name === 'spark' ? 'STRING' : 'VARCHAR'}) ` +
    'AS device_id, 0 AS sensor_count WHERE 1 = 0)'
  return `WITH window_sums AS (${sums}),\n  ${own}\n${featureQuery(dialect, fleet, tables, provenance)}`
}

/**
 * SQL of one feature in a dialect, over tables named `clean_sensor_readings`, `device_features`,
 * `cohorts` (device_id, cohort_id) and `feature_baselines`.
 * @throws IsothermError as `featureDefinition`; INPUT_INVALID for a duration it is not made for
 */
function featureSql(
  dialect: Dialect,
  fleet: FleetDefinition,
  name: string,
  selection: { readonly minutes: number; readonly startMs: number; readonly endMs: number },
): string {
  const definition = featureDefinition(fleet, name)
  if (isSeries(definition)) {
    const relation = { relation: 'clean_sensor_readings' }
    return seriesQuery(dialect, fleet, definition, { ...relation, ...selection })
  }
  if (kindOf(fleet, definition) === 'stored') {
    return storedSql(dialect, narrowed(fleet, name), selection.minutes, selection)
  }
  const sources = {
    rows: 'device_features',
    cohorts: 'cohorts',
    baselines: "(SELECT * FROM feature_baselines WHERE granularity = 'cohort')",
  }
  return rowFeaturesQuery(dialect, fleet, [name], sources, selection)
}

/** The SQL of one feature in both dialects. @throws as `featureSql` */
export function featureSqlTexts(
  fleet: FleetDefinition,
  name: string,
  selection: { readonly minutes: number; readonly startMs: number; readonly endMs: number },
): { readonly duckdb: string; readonly spark: string } {
  return {
    duckdb: featureSql(duckdbDialect, fleet, name, selection),
    spark: featureSql(sparkDialect, fleet, name, selection),
  }
}
