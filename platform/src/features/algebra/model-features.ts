import {
  type FeatureColumn,
  type FeatureDefinition,
  type FeatureFormula,
  type FleetDefinition,
  featureColumns,
  featureFault,
  IsothermError,
  operandsOf,
} from '../../contracts/index.ts'

/** A family of model-input features: a suffix of a stored feature's name, FEA-24 to FEA-29. */
type Family = {
  readonly id: string
  readonly suffix: RegExp
  readonly define: (stored: FeatureColumn, windows: number) => FamilyMember
}

type FamilyMember = {
  readonly formula: FeatureFormula
  readonly label: string
  readonly unit: string
}

/** A cohort with fewer rows in the window says nothing, FEA-28. */
const minCohortRows = 10

const families: readonly Family[] = [
  {
    id: 'FEA-24',
    suffix: /_lag(\d+)$/,
    define: ({ name, label, unit }, windows) => ({
      formula: { kind: 'lag', of: name, windows },
      label: `${label}, ${windows} windows ago`,
      unit,
    }),
  },
  {
    id: 'FEA-25',
    suffix: /_delta(\d+)$/,
    define: ({ name, label, unit }, windows) => ({
      formula: { kind: 'difference', minuend: name, subtrahend: `${name}_lag${windows}` },
      label: `change of ${label} over ${windows} windows`,
      unit,
    }),
  },
  {
    id: 'FEA-26',
    suffix: /_roc(\d+)$/,
    define: ({ name, label, unit }, windows) => ({
      formula: { kind: 'rate', of: name, windows },
      label: `change of ${label} per hour over ${windows} windows`,
      unit: `${unit === '' ? '1' : unit}/h`,
    }),
  },
  {
    id: 'FEA-27',
    suffix: /_mean7d$/,
    define: ({ name, label, unit }) => ({
      formula: { kind: 'rolling', of: name, days: 7, atLeast: { share: 0.5 } },
      label: `${label}, mean of 7 days`,
      unit,
    }),
  },
  {
    id: 'FEA-27',
    suffix: /_dev7d$/,
    define: ({ name, label, unit }) => ({
      formula: { kind: 'difference', minuend: name, subtrahend: `${name}_mean7d` },
      label: `${label} against its mean of 7 days`,
      unit,
    }),
  },
  {
    id: 'FEA-28',
    suffix: /_cohort_diff$/,
    define: ({ name, label, unit }) => ({
      formula: { kind: 'cohort_difference', of: name, minRows: minCohortRows },
      label: `${label} against its cohort now`,
      unit,
    }),
  },
  {
    id: 'FEA-29',
    suffix: /_cohort_z$/,
    define: ({ name, label }) => ({
      formula: { kind: 'cohort_z', of: name },
      label: `${label} in spreads of its cohort`,
      unit: '',
    }),
  },
]

/** Names of the families, with the requirement each comes from: `{f}_lag{k}`. */
export const modelFeatureFamilies: readonly { readonly id: string; readonly pattern: string }[] =
  families.map(({ id, suffix }) => ({
    id,
    pattern: `{f}${suffix.source.replace('(\\d+)', '{k}').replace('$', '')}`,
  }))

function familyMember(fleet: FleetDefinition, name: string): FeatureDefinition | undefined {
  const stored = new Map(featureColumns(fleet).map((column) => [column.name, column]))
  for (const { suffix, define } of families) {
    const match = suffix.exec(name)
    const column = match === null ? undefined : stored.get(name.slice(0, match.index))
    if (column === undefined) continue
    const { group, resolution } = column
    return { name, group, resolution, ...define(column, Number(match?.[1] ?? 1)) }
  }
  return undefined
}

/**
 * Definition of any feature by name: stored, declared by the fleet, or of a family.
 * @throws IsothermError NOT_FOUND for an unknown name, FLEET_INVALID for one that cannot work
 */
export function featureDefinition(fleet: FleetDefinition, name: string): FeatureDefinition {
  const columns = featureColumns(fleet)
  const declared = [...columns, ...(fleet.modelFeatures ?? [])].find((known) => known.name === name)
  if (declared !== undefined) return declared
  const member = familyMember(fleet, name)
  if (member === undefined) {
    const patterns = modelFeatureFamilies.map(({ pattern }) => pattern).join(', ')
    throw new IsothermError(
      'NOT_FOUND',
      `fleet ${fleet.name} has no feature ${name}; see isotherm features list, or use ${patterns}`,
    )
  }
  const known = new Map(columns.map(({ name: own, unit }) => [own, { unit, isStored: true }]))
  for (const operand of operandsOf(member.formula)) {
    if (known.has(operand)) continue
    known.set(operand, { unit: featureDefinition(fleet, operand).unit, isStored: false })
  }
  const fault = featureFault(fleet, member, known)
  if (fault !== undefined) {
    throw new IsothermError('FLEET_INVALID', `fleet ${fleet.name}: ${fault}; choose another`)
  }
  return member
}

/**
 * The definitions that some features need beyond the stored columns, operands first, each once.
 * @throws IsothermError as `featureDefinition`
 */
export function definitionChain(
  fleet: FleetDefinition,
  names: readonly string[],
): readonly FeatureDefinition[] {
  const stored = new Set(featureColumns(fleet).map(({ name }) => name))
  const chain = new Map<string, FeatureDefinition>()
  const add = (name: string): void => {
    if (stored.has(name) || chain.has(name)) return
    const definition = featureDefinition(fleet, name)
    operandsOf(definition.formula).forEach(add)
    chain.set(name, definition)
  }
  names.forEach(add)
  return [...chain.values()]
}
