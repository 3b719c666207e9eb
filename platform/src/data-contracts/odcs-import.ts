import { parse } from 'yaml'
import { z } from 'zod'
import {
  type Column,
  type ColumnType,
  IsothermError,
  type ServiceLevel,
  type TableContract,
} from '../contracts/index.ts'
import { contractFaults } from './contract-faults.ts'
import { odcsIdPrefix } from './odcs-export.ts'

/** Contracts of a document, and which of its sections Isotherm does not keep. */
export type ImportedContracts = {
  readonly contracts: readonly TableContract[]
  readonly ignored: readonly string[]
}

const columnTypes: readonly ColumnType[] = [
  'string',
  'timestamp',
  'double',
  'integer',
  'long',
  'boolean',
  'binary',
  'array<string>',
  'array<double>',
  'map<string,double>',
]

const custom = z.array(z.object({ property: z.string(), value: z.unknown() })).optional()

const qualityCheck = z.object({
  type: z.string().optional(),
  metric: z.string().optional(),
  description: z.string().optional(),
  unit: z.string().optional(),
  arguments: z.object({ validValues: z.array(z.string()).optional() }).optional(),
  mustBe: z.unknown().optional(),
  mustBeLessOrEqualTo: z.number().optional(),
})

const property = z.object({
  name: z.string(),
  physicalName: z.string().optional(),
  description: z.string().optional(),
  logicalType: z.string().optional(),
  physicalType: z.string().optional(),
  logicalTypeOptions: z
    .object({
      minimum: z.unknown().optional(),
      maximum: z.unknown().optional(),
      format: z.string().optional(),
    })
    .optional(),
  items: z.object({ logicalType: z.string().optional() }).optional(),
  required: z.boolean().optional(),
  primaryKey: z.boolean().optional(),
  primaryKeyPosition: z.number().optional(),
  partitioned: z.boolean().optional(),
  partitionKeyPosition: z.number().optional(),
  classification: z.string().optional(),
  quality: z.array(qualityCheck).optional(),
  customProperties: custom,
})

const schemaObject = z.object({
  name: z.string(),
  description: z.string().optional(),
  properties: z.array(property).optional(),
  quality: z.array(qualityCheck).optional(),
  customProperties: custom,
})

const document = z.object({
  apiVersion: z.string().regex(/^v3\./, 'expected version 3 of the standard, v3.1.0'),
  kind: z.literal('DataContract'),
  id: z.string(),
  version: z.string(),
  status: z.string(),
  description: z.object({ purpose: z.string().optional() }).optional(),
  team: z.union([z.object({ name: z.string().optional() }), z.array(z.unknown())]).optional(),
  schema: z.array(schemaObject).min(1, 'expected at least one table under schema'),
  slaProperties: z
    .array(
      z.object({
        property: z.string(),
        value: z.unknown(),
        unit: z.string().optional(),
        element: z.string().optional(),
        description: z.string().optional(),
      }),
    )
    .optional(),
})

type Document = z.infer<typeof document>
type Property = z.infer<typeof property>
type SchemaObject = z.infer<typeof schemaObject>

const kept = ['apiVersion', 'kind', 'id', 'name', 'version', 'status', 'description', 'team']
const keptSections = [...kept, 'schema', 'slaProperties']

function invalid(reason: string, cause?: unknown): IsothermError {
  return new IsothermError('CONTRACT_INVALID', reason, cause === undefined ? {} : { cause })
}

function customValue(list: z.infer<typeof custom>, name: string): unknown {
  return list?.find(({ property: found }) => found === name)?.value
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function typeOf(column: Property): ColumnType {
  const physical = columnTypes.find((type) => type === column.physicalType)
  if (physical !== undefined) return physical
  switch (column.logicalType) {
    case 'string':
    case 'date':
    case 'time':
      return 'string'
    case 'timestamp':
    case 'boolean':
      return column.logicalType
    case 'number':
      return 'double'
    case 'integer': {
      const isLong =
        /64/.test(column.logicalTypeOptions?.format ?? '') ||
        /bigint|long|int8|int64/i.test(column.physicalType ?? '')
      return isLong ? 'long' : 'integer'
    }
    case 'array':
      if (column.items?.logicalType === 'string') return 'array<string>'
      if (column.items?.logicalType === 'number') return 'array<double>'
      throw invalid(`${column.name}: an array of ${column.items?.logicalType ?? 'unknown items'}`)
    default:
      throw invalid(
        `${column.name}: logicalType ${column.logicalType ?? '(none)'} cannot be kept; ` +
          'expected string, date, time, timestamp, number, integer, boolean or an array of these',
      )
  }
}

function rangeOf({ name, logicalTypeOptions }: Property): readonly [number, number] | undefined {
  const { minimum, maximum } = logicalTypeOptions ?? {}
  if (minimum === undefined && maximum === undefined) return undefined
  if (typeof minimum === 'number' && typeof maximum === 'number') return [minimum, maximum]
  throw invalid(`${name}: give both minimum and maximum as numbers, or neither`)
}

/** Percent as a share, the way back of `percentOf`. */
function shareOf(percent: number): number {
  return Number((percent / 100).toPrecision(15))
}

function columnOf(column: Property): Column {
  const range = rangeOf(column)
  const checks = column.quality ?? []
  const values = checks.find(({ metric }) => metric === 'invalidValues')?.arguments?.validValues
  const nulls = checks.find(({ metric, unit }) => metric === 'nullValues' && unit === 'percent')
  const unit = textOf(customValue(column.customProperties, 'unit'))
  const extension = customValue(column.customProperties, 'extension')
  const deprecatedOn = textOf(customValue(column.customProperties, 'deprecatedOn'))
  const replacedBy = textOf(customValue(column.customProperties, 'replacedBy'))
  const { physicalName } = column
  return {
    name: column.name,
    type: typeOf(column),
    nullable: column.required !== true,
    meaning: column.description ?? column.name,
    ...(unit !== undefined && { unit }),
    ...(range !== undefined && { range }),
    ...(values !== undefined && { values }),
    ...(nulls?.mustBeLessOrEqualTo !== undefined && {
      maxNullFraction: shareOf(nulls.mustBeLessOrEqualTo),
    }),
    ...(typeof extension === 'boolean' && { extension }),
    ...(column.classification === 'personal' && { personal: true }),
    ...(column.classification === 'not personal' && { personal: false }),
    ...(deprecatedOn !== undefined && { deprecatedOn }),
    ...(replacedBy !== undefined && { replacedBy }),
    ...(physicalName !== undefined && physicalName !== column.name && { physicalName }),
  }
}

/** Names of the flagged columns in the order of their positions. */
function ordered(
  properties: readonly Property[],
  placeOf: (property: Property) => number | undefined,
): readonly string[] {
  return properties
    .map((one) => ({ name: one.name, place: placeOf(one) }))
    .filter(({ place }) => place !== undefined)
    .toSorted((a, b) => (a.place ?? 0) - (b.place ?? 0))
    .map(({ name }) => name)
}

const serviceNames = {
  latency: ['freshnessMinutes', { min: 1, m: 1, minute: 1, minutes: 1, h: 60, d: 1440, s: 1 / 60 }],
  retention: ['retentionDays', { d: 1, day: 1, days: 1, y: 365, yr: 365, years: 365, h: 1 / 24 }],
  frequency: ['cadenceSeconds', { s: 1, min: 60, m: 60, h: 3600, d: 86_400 }],
  maxGap: ['maxGapSeconds', { s: 1, min: 60, h: 3600, d: 86_400 }],
} as const satisfies Readonly<
  Record<string, readonly [keyof ServiceLevel, Readonly<Record<string, number>>]>
>

function serviceOf(
  table: SchemaObject,
  levels: NonNullable<Document['slaProperties']>,
): ServiceLevel | undefined {
  const ours = levels.filter(
    ({ element }) => element === undefined || element.split('.')[0] === table.name,
  )
  const service: Record<string, unknown> = {}
  for (const level of ours) {
    const known = Object.entries(serviceNames).find(([name]) => name === level.property)?.[1]
    if (known !== undefined) {
      const [field, units]: readonly [string, Readonly<Record<string, number>>] = known
      const factor = units[level.unit ?? '']
      if (typeof level.value !== 'number' || factor === undefined) {
        const expected = Object.keys(units).join(', ')
        throw invalid(`${table.name}: ${level.property} needs a number and a unit of ${expected}`)
      }
      service[field] = level.value * factor
    }
    if (level.property === 'completeness' && typeof level.value === 'number') {
      service.completeness = { share: shareOf(level.value), of: level.description ?? 'rows' }
    }
  }
  const element = ours.find(({ element: found }) => found?.includes('.') === true)?.element
  const timeColumn = textOf(customValue(table.customProperties, 'timeColumn'))
  const freshnessColumn = timeColumn ?? element?.split('.')[1]
  if (freshnessColumn !== undefined) service.freshnessColumn = freshnessColumn
  return Object.keys(service).length === 0 ? undefined : (service as ServiceLevel)
}

function contractOf(found: Document, table: SchemaObject): TableContract {
  const properties = table.properties ?? []
  const service = serviceOf(table, found.slaProperties ?? [])
  const semantics = (table.quality ?? []).flatMap(({ type, description }) =>
    type === 'text' && description !== undefined ? [description] : [],
  )
  const sortColumns = customValue(table.customProperties, 'sortColumns')
  const settlesAfterDays = customValue(table.customProperties, 'settlesAfterDays')
  const owner = Array.isArray(found.team) ? undefined : found.team?.name
  const id = found.id.startsWith(odcsIdPrefix) ? found.id.slice(odcsIdPrefix.length) : found.id
  return {
    name: table.name,
    id: found.schema.length === 1 ? id : `${id}/${table.name}`,
    version: found.version,
    purpose: table.description ?? found.description?.purpose ?? '',
    columns: properties.map(columnOf),
    key: ordered(properties, (one) => (one.primaryKey ? (one.primaryKeyPosition ?? 0) : undefined)),
    partitionColumns: ordered(properties, (one) =>
      one.partitioned ? (one.partitionKeyPosition ?? 0) : undefined,
    ),
    sortColumns: Array.isArray(sortColumns) ? sortColumns.map(String) : [],
    ...(typeof settlesAfterDays === 'number' && { settlesAfterDays }),
    ...(owner !== undefined && { owner }),
    ...(service !== undefined && { service }),
    ...(semantics.length > 0 && { semantics }),
  }
}

const longestText = 1_000_000

/**
 * Reads a document of the Open Data Contract Standard 3 in YAML or JSON. A contract that Isotherm
 * exported comes back equal; of another one the tables, columns, keys, checks and service levels are
 * kept and the rest is named in `ignored`.
 * @throws IsothermError CONTRACT_INVALID when the text is no such document, or contradicts itself
 */
export function readOdcs(text: string): ImportedContracts {
  if (text.length > longestText) throw invalid(`the contract has more than ${longestText} letters`)
  let value: unknown
  try {
    value = parse(text)
  } catch (cause) {
    throw invalid(`the contract is no YAML: ${cause instanceof Error ? cause.message : ''}`, cause)
  }
  const read = document.safeParse(value)
  if (!read.success) {
    const [issue] = read.error.issues
    const place = issue?.path.join('.') ?? ''
    throw invalid(`the contract is no ODCS 3 document: ${place || 'document'}: ${issue?.message}`)
  }
  const contracts = read.data.schema.map((table) => contractOf(read.data, table))
  for (const contract of contracts) {
    const faults = contractFaults(contract)
    if (faults.length > 0) {
      throw invalid(`${contract.name}: the contract contradicts itself: ${faults.join('; ')}`)
    }
  }
  const ignored = Object.keys(value as object).filter((name) => !keptSections.includes(name))
  return { contracts, ignored }
}
