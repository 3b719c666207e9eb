import { IsothermError } from './errors.ts'
import { featureColumns } from './feature-catalogue.ts'
import type { FleetDefinition } from './fleet.ts'

function firstRepeated(names: readonly string[]): string | undefined {
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}

const namePattern = /^[a-z][a-z0-9_]*$/

function checkNames(fleet: FleetDefinition, fail: (reason: string) => never): void {
  const sensors = fleet.sensors.map(({ name }) => name)
  const repeatedSensor = firstRepeated(sensors)
  if (repeatedSensor !== undefined) fail(`sensor ${repeatedSensor} is defined twice`)
  const badName = [...sensors, ...fleet.sensors.map(({ short }) => short)].find(
    (name) => !namePattern.test(name),
  )
  if (badName !== undefined) fail(`sensor name ${badName} is not snake_case`)
  const repeated = firstRepeated(featureColumns(fleet).map(({ name }) => name))
  if (repeated !== undefined) fail(`feature ${repeated} is defined twice`)
}

function checkReferences(fleet: FleetDefinition, fail: (reason: string) => never): void {
  const features = new Set(featureColumns(fleet).map(({ name }) => name))
  const sensors = new Set(fleet.sensors.map(({ name }) => name))
  const used = [
    ...fleet.derivedFeatures.flatMap((feature) =>
      feature.kind === 'ratio'
        ? [feature.numerator, feature.denominator]
        : [feature.minuend, feature.subtrahend],
    ),
    ...fleet.operatingModes.map(({ feature }) => feature),
    ...fleet.fallbackRules.map(({ feature }) => feature),
    ...fleet.yardstickRules.map(({ feature }) => feature),
    ...fleet.hints.map(({ feature }) => feature),
    ...fleet.models.flatMap(({ features: list }) => (typeof list === 'string' ? [] : list)),
  ]
  const missing = used.find((name) => !features.has(name))
  if (missing !== undefined) fail(`feature ${missing} is used but not defined`)
  const unknownSensor = [
    ...fleet.absolutePressureSensors,
    ...fleet.bands.map(({ sensor }) => sensor),
    ...fleet.streamRules.map(({ sensor }) => sensor),
  ].find((name) => !sensors.has(name))
  if (unknownSensor !== undefined) fail(`sensor ${unknownSensor} is used but not defined`)
}

function checkModels(fleet: FleetDefinition, fail: (reason: string) => never): void {
  for (const model of fleet.models) {
    if (model.contamination < 0.01 || model.contamination > 0.1) {
      fail(`${model.modelId}: contamination ${model.contamination} is outside 0.01 to 0.10`)
    }
    const foreign = model.windowMinutes.find((minutes) => !fleet.windowMinutes.includes(minutes))
    if (foreign !== undefined) fail(`${model.modelId}: ${foreign} min is no window of the fleet`)
    const modes = model.kind === 'robust_baseline' ? (model.ownNormalModes ?? []) : []
    const unknown = modes.find((name) => !fleet.operatingModes.some((mode) => mode.name === name))
    if (unknown !== undefined)
      fail(`${model.modelId}: ${unknown} is no operating mode of the fleet`)
  }
}

const lists = [
  'equipmentClasses',
  'sensors',
  'absolutePressureSensors',
  'derivedFeatures',
  'windowMinutes',
  'operatingModes',
  'firmwareMatrix',
  'models',
  'streamRules',
  'fallbackRules',
  'yardstickRules',
  'hints',
  'bands',
] as const

/** The compiler sees to this, but nobody has to run it over a fleet file. */
function checkShape(fleet: FleetDefinition, fail: (reason: string) => never): void {
  const missing = lists.find((name) => !Array.isArray(fleet[name]))
  if (missing !== undefined) fail(`${missing} is no list: give [] where there is none`)
  if (typeof fleet.rangeProfiles !== 'object') fail('rangeProfiles is missing: give {} for none')
  if (fleet.windowMinutes.length === 0) fail('windowMinutes is empty: give [15] or the like')
  const bare = fleet.sensors.find(({ aggregates }) => !Array.isArray(aggregates))
  if (bare !== undefined) fail(`sensor ${bare.name} has no aggregates: give ['mean'] or the like`)
}

/** Checks a fleet definition and returns it. @throws IsothermError FLEET_INVALID, first fault */
export function defineFleet(fleet: FleetDefinition): FleetDefinition {
  const fail = (reason: string): never => {
    throw new IsothermError('FLEET_INVALID', `fleet ${fleet.name}: ${reason}; fix its definition`)
  }
  checkShape(fleet, fail)
  if (fleet.sensors.length === 0) fail('it has no sensor')
  checkNames(fleet, fail)
  checkReferences(fleet, fail)
  checkModels(fleet, fail)
  return fleet
}
