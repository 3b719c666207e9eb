import type { WindowFormula } from './feature-formula.ts'
import type { Aggregate, DerivedFeature, FleetDefinition, Sensor } from './fleet.ts'

/** One numeric feature column of a fleet, with everything that describes it. */
export type FeatureColumn = {
  readonly name: string
  /** "mean evaporator temperature". */
  readonly label: string
  readonly unit: string
  readonly group: string
  /** Smallest spread that may divide, FEA section 3. */
  readonly resolution: number
  readonly nullable: boolean
  readonly formula: WindowFormula
  readonly source:
    | { readonly kind: 'aggregate'; readonly sensor: Sensor; readonly aggregate: Aggregate }
    | { readonly kind: 'derived'; readonly definition: DerivedFeature }
    | { readonly kind: 'quality' }
}

const aggregateLabels: Readonly<Record<Aggregate, string>> = {
  mean: 'mean',
  std: 'variation of',
  min: 'lowest',
  max: 'highest',
  slope: 'trend of',
  p95: '95th percentile of',
  fraction: 'share of time',
}

/** Slope features divide by at least this, unit per minute. */
const slopeResolution = 0.001

const qualityFeatures: readonly FeatureColumn[] = [
  {
    name: 'reading_count',
    label: 'number of readings',
    resolution: 1,
    formula: { kind: 'count', of: 'readings' } as const,
  },
  {
    name: 'sensor_completeness',
    label: 'share of sensors present',
    resolution: 0.01,
    formula: { kind: 'completeness' } as const,
  },
  {
    name: 'quality_flag_count',
    label: 'number of flagged readings',
    resolution: 1,
    formula: { kind: 'count', of: 'flagged' } as const,
  },
].map((feature) => ({
  ...feature,
  unit: '',
  group: 'quality',
  nullable: false,
  source: { kind: 'quality' },
}))

/** Features that describe the data and not the machine, MOD-10. */
export const qualityFeatureNames: readonly string[] = qualityFeatures.map(({ name }) => name)

function aggregateFeature(sensor: Sensor, aggregate: Aggregate): FeatureColumn {
  return {
    name: `${sensor.short}_${aggregate}`,
    label: `${aggregateLabels[aggregate]} ${sensor.label}`,
    unit:
      aggregate === 'slope' ? `${sensor.unit}/min` : aggregate === 'fraction' ? '' : sensor.unit,
    group: sensor.group,
    resolution: aggregate === 'slope' ? slopeResolution : sensor.resolution,
    nullable: true,
    formula: { kind: 'aggregate', sensor: sensor.name, aggregate },
    source: { kind: 'aggregate', sensor, aggregate },
  }
}

function derivedFeature(definition: DerivedFeature): FeatureColumn {
  const { name, label, unit, group, resolution, formula } = definition
  return {
    name,
    label,
    unit,
    group,
    resolution,
    nullable: true,
    formula,
    source: { kind: 'derived', definition },
  }
}

/**
 * The numeric features of a fleet in stored order: sensor aggregates, derived, quality. For
 * refrigeration these are the 45 columns S45 of FEA section 3.
 */
export function featureColumns(fleet: FleetDefinition): readonly FeatureColumn[] {
  return [
    ...fleet.sensors.flatMap((sensor) =>
      sensor.aggregates.map((aggregate) => aggregateFeature(sensor, aggregate)),
    ),
    ...fleet.derivedFeatures.map(derivedFeature),
    ...qualityFeatures,
  ]
}

/** Resolves a model's feature selection to column names in stored order, CON-28. */
export function selectFeatures(
  fleet: FleetDefinition,
  selection: 'all' | 'means_and_stds' | readonly string[],
): readonly string[] {
  const columns = featureColumns(fleet)
  if (selection === 'all') return columns.map(({ name }) => name)
  if (selection !== 'means_and_stds') return selection
  return columns
    .filter(
      ({ source }) =>
        source.kind === 'aggregate' && (source.aggregate === 'mean' || source.aggregate === 'std'),
    )
    .map(({ name }) => name)
}
