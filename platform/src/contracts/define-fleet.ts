import { IsothermError } from './errors.ts'
import { featureColumns } from './feature-catalogue.ts'
import type { FeatureDefinition } from './feature-formula.ts'
import { featureFault } from './feature-rules.ts'
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

const dayMinutes = 1440

/** Windows are aligned to the day, and coarser ones are made of finer ones, FEA-5. */
function checkWindows({ windowMinutes }: FleetDefinition, fail: (reason: string) => never): void {
  const odd = windowMinutes.find(
    (minutes) => !Number.isInteger(minutes) || minutes < 1 || dayMinutes % minutes !== 0,
  )
  if (odd !== undefined) fail(`windows of ${odd} min do not divide the day; use 15, 60 or 1440`)
}

/** Each definition is checked before anything runs: sensors, operands, time and units. */
function checkFeatures(fleet: FleetDefinition, fail: (reason: string) => never): void {
  const known = new Map<string, { readonly unit: string; readonly isStored: boolean }>()
  const add = (definition: FeatureDefinition, isStored: boolean): void => {
    const fault = featureFault(fleet, definition, known)
    if (fault !== undefined) fail(fault)
    known.set(definition.name, { unit: definition.unit, isStored })
  }
  for (const definition of featureColumns(fleet)) add(definition, true)
  for (const definition of fleet.modelFeatures ?? []) {
    if (known.has(definition.name)) fail(`feature ${definition.name} is defined twice`)
    add(definition, false)
  }
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
  checkWindows(fleet, fail)
  checkFeatures(fleet, fail)
  checkReferences(fleet, fail)
  checkModels(fleet, fail)
  return fleet
}
