import { stringify } from 'yaml'
import {
  type Column,
  type ColumnType,
  IsothermError,
  type ServiceLevel,
  type TableContract,
} from '../contracts/index.ts'
import { contractFaults } from './contract-faults.ts'

/** Plain data as YAML and JSON have it. */
type Plain = string | number | boolean | readonly Plain[] | { readonly [name: string]: Plain }
type PlainObject = { readonly [name: string]: Plain }

/** Prefix of the id of a contract in the Open Data Contract Standard. */
export const odcsIdPrefix = 'urn:isotherm:'

/** Team that answers for a table which names none. */
export const defaultOwner = 'data-engineering'

function logicalType(type: ColumnType): PlainObject {
  switch (type) {
    case 'double':
      return { logicalType: 'number' }
    case 'integer':
    case 'long':
      return { logicalType: 'integer' }
    case 'array<string>':
      return { logicalType: 'array', items: { logicalType: 'string', physicalType: 'string' } }
    case 'array<double>':
      return { logicalType: 'array', items: { logicalType: 'number', physicalType: 'double' } }
    case 'map<string,double>':
      return { logicalType: 'object' }
    case 'binary':
      return { logicalType: 'string' }
    case 'string':
    case 'timestamp':
    case 'boolean':
      return { logicalType: type }
  }
}

const formats: Partial<Readonly<Record<ColumnType, PlainObject>>> = {
  timestamp: { timezone: true, defaultTimezone: 'Etc/UTC' },
  double: { format: 'f64' },
  integer: { format: 'i32' },
  long: { format: 'i64' },
  binary: { format: 'binary' },
}

function typeOptions({ type, range }: Column): PlainObject {
  const bounds = range === undefined ? {} : { minimum: range[0], maximum: range[1] }
  const options = { ...formats[type], ...bounds }
  return Object.keys(options).length === 0 ? {} : { logicalTypeOptions: options }
}

/** A share as percent without the noise of binary fractions: 0.07 is 7, not 7.000000000000001. */
export function percentOf(share: number): number {
  return Number((share * 100).toPrecision(15))
}

function columnQuality({ values, maxNullFraction }: Column): PlainObject {
  const checks: Plain[] = []
  if (values !== undefined) {
    checks.push({
      type: 'library',
      metric: 'invalidValues',
      arguments: { validValues: [...values] },
      mustBe: 0,
    })
  }
  if (maxNullFraction !== undefined) {
    checks.push({
      type: 'library',
      metric: 'nullValues',
      unit: 'percent',
      mustBeLessOrEqualTo: percentOf(maxNullFraction),
    })
  }
  return checks.length === 0 ? {} : { quality: checks }
}

function customProperties(properties: Readonly<Record<string, Plain | undefined>>): PlainObject {
  const given = Object.entries(properties).flatMap(([property, value]) =>
    value === undefined ? [] : [{ property, value }],
  )
  return given.length === 0 ? {} : { customProperties: given }
}

/** Place of a column in the key or the partitions; ODCS counts from 1. */
function position(names: readonly string[], name: string, flag: string, place: string) {
  const index = names.indexOf(name)
  return index < 0 ? {} : { [flag]: true, [place]: index + 1 }
}

function propertyOf(column: Column, contract: TableContract): PlainObject {
  const { name, type, nullable, meaning, unit, extension, personal } = column
  return {
    name,
    ...(column.physicalName !== undefined && { physicalName: column.physicalName }),
    description: meaning,
    physicalType: type,
    ...logicalType(type),
    ...typeOptions(column),
    required: !nullable,
    ...position(contract.key, name, 'primaryKey', 'primaryKeyPosition'),
    ...position(contract.partitionColumns, name, 'partitioned', 'partitionKeyPosition'),
    ...(personal !== undefined && { classification: personal ? 'personal' : 'not personal' }),
    ...columnQuality(column),
    ...customProperties({
      unit,
      extension,
      deprecatedOn: column.deprecatedOn,
      replacedBy: column.replacedBy,
    }),
  }
}

function serviceLevels({ service, name }: TableContract): PlainObject {
  if (service === undefined) return {}
  const element =
    service.freshnessColumn === undefined ? name : `${name}.${service.freshnessColumn}`
  const amounts: readonly (readonly [string, keyof ServiceLevel, string])[] = [
    ['latency', 'freshnessMinutes', 'min'],
    ['retention', 'retentionDays', 'd'],
    ['frequency', 'cadenceSeconds', 's'],
    ['maxGap', 'maxGapSeconds', 's'],
  ]
  const levels: Plain[] = amounts.flatMap(([property, field, unit]) => {
    const value = service[field]
    return typeof value === 'number' ? [{ property, value, unit, element }] : []
  })
  const { completeness } = service
  if (completeness !== undefined) {
    const { share, of } = completeness
    levels.push({
      property: 'completeness',
      value: percentOf(share),
      unit: 'percent',
      element: name,
      description: of,
    })
  }
  return levels.length === 0 ? {} : { slaProperties: levels }
}

/**
 * A contract as a document of the Open Data Contract Standard 3.1.0: plain data, ready for YAML or
 * JSON. Units, sort order and what else the standard has no word for are custom properties.
 * @throws IsothermError CONTRACT_INVALID when the contract contradicts itself
 */
export function odcsDocument(contract: TableContract): PlainObject {
  const faults = contractFaults(contract)
  if (faults.length > 0) {
    throw new IsothermError(
      'CONTRACT_INVALID',
      `${contract.name}: the contract contradicts itself: ${faults.join('; ')}`,
    )
  }
  const { id, name, version, purpose, owner, semantics, service } = contract
  return {
    apiVersion: 'v3.1.0',
    kind: 'DataContract',
    id: `${odcsIdPrefix}${id}`,
    name,
    version,
    status: 'active',
    description: { purpose },
    team: { name: owner ?? defaultOwner },
    schema: [
      {
        name,
        physicalName: name,
        physicalType: 'table',
        logicalType: 'object',
        description: purpose,
        properties: contract.columns.map((column) => propertyOf(column, contract)),
        ...(semantics !== undefined &&
          semantics.length > 0 && {
            quality: semantics.map((description) => ({ type: 'text', description })),
          }),
        ...customProperties({
          sortColumns: contract.sortColumns,
          settlesAfterDays: contract.settlesAfterDays,
          timeColumn: service?.freshnessColumn,
        }),
      },
    ],
    ...serviceLevels(contract),
  }
}

/** A contract as ODCS 3.1.0 YAML. @throws IsothermError as `odcsDocument` */
export function odcsYaml(contract: TableContract): string {
  return stringify(odcsDocument(contract), { lineWidth: 100 })
}
