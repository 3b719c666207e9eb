import type { Random } from '../delta/seeded-random.ts'

/** One property of an ODCS document, as far as the edits touch it. */
export type Property = {
  name: string
  logicalType: string
  physicalType: string
  description: string
  required: boolean
  primaryKey?: boolean
  primaryKeyPosition?: number
  partitioned?: boolean
  logicalTypeOptions?: { minimum?: number; maximum?: number; format?: string }
  quality?: { metric?: string; arguments?: { validValues: string[] }; [other: string]: unknown }[]
  customProperties?: { property: string; value: unknown }[]
}

/** An ODCS document as plain data that may be edited. */
export type Document = {
  name: string
  version: string
  description: { purpose: string }
  team: { name: string }
  schema: { name: string; properties: Property[]; quality?: object[] }[]
  slaProperties?: { property: string; value: number; unit?: string; element?: string }[]
}

/** An edit of a document: returns what was edited, or undefined where it does not apply. */
export type Edit = {
  readonly name: string
  readonly apply: (document: Document, random: Random) => string | undefined
}

const unitOf = (property: Property) =>
  property.customProperties?.find((one) => one.property === 'unit')

/** Columns that nothing else in the contract leans on. */
function freeColumns({ schema, slaProperties }: Document): Property[] {
  const named = JSON.stringify(slaProperties ?? [])
  const used = JSON.stringify((schema[0] as { customProperties?: unknown }).customProperties ?? [])
  return (schema[0]?.properties ?? []).filter(
    ({ name, primaryKey, partitioned }) =>
      primaryKey !== true &&
      partitioned !== true &&
      !named.includes(`.${name}"`) &&
      !used.includes(`"${name}"`),
  )
}

/** Edits one random column of those that fit. */
function columnEdit(
  name: string,
  fits: (property: Property) => boolean,
  change: (property: Property, document: Document) => void,
): Edit {
  return {
    name,
    apply: (document, random) => {
      const found = freeColumns(document).filter(fits)
      if (found.length === 0) return undefined
      const property = random.pick(found)
      change(property, document)
      return property.name
    },
  }
}

const bounded = ({ logicalTypeOptions }: Property) =>
  logicalTypeOptions?.minimum !== undefined && logicalTypeOptions.maximum !== undefined
const listed = ({ quality }: Property) =>
  quality?.some(({ metric }) => metric === 'invalidValues') === true
const validValues = (property: Property) =>
  property.quality?.find(({ metric }) => metric === 'invalidValues')?.arguments?.validValues ?? []
const plainNumber = (property: Property) =>
  property.physicalType === 'double' && !bounded(property) && unitOf(property) === undefined

function drop(document: Document, property: Property): void {
  const table = document.schema[0]
  if (table !== undefined) table.properties = table.properties.filter((one) => one !== property)
}

/** Ten ways to break whoever reads a table, by CON-50 to CON-53 and the promise of the contract. */
export const breakingEdits: readonly Edit[] = [
  columnEdit(
    'column removed',
    () => true,
    (property, document) => drop(document, property),
  ),
  columnEdit(
    'column renamed',
    () => true,
    (property) => {
      property.name = `${property.name}_v2`
    },
  ),
  columnEdit('type changed', plainNumber, (property) => {
    property.logicalType = 'string'
    property.physicalType = 'string'
    delete property.logicalTypeOptions
  }),
  columnEdit(
    'unit changed',
    (property) => unitOf(property) !== undefined,
    (property) => {
      const unit = unitOf(property)
      if (unit !== undefined) unit.value = 'furlong'
    },
  ),
  columnEdit(
    'may be null',
    ({ required }) => required,
    (property) => {
      property.required = false
    },
  ),
  columnEdit(
    'never null',
    ({ required }) => !required,
    (property) => {
      property.required = true
    },
  ),
  columnEdit('range narrowed', bounded, (property) => {
    const { minimum = 0, maximum = 0 } = property.logicalTypeOptions ?? {}
    const half = minimum + Math.ceil((maximum - minimum) / 2)
    property.logicalTypeOptions = {
      ...property.logicalTypeOptions,
      maximum: half < maximum ? half : minimum,
    }
  }),
  columnEdit(
    'value no longer allowed',
    (one) => validValues(one).length > 1,
    (property) => {
      validValues(property).splice(0, 1)
    },
  ),
  {
    name: 'key widened',
    apply: (document) => {
      const properties = document.schema[0]?.properties ?? []
      const added = freeColumns(document).find(
        ({ physicalType, required }) => physicalType === 'string' && required,
      )
      if (added === undefined) return undefined
      added.primaryKey = true
      added.primaryKeyPosition = 1 + properties.filter((one) => one.primaryKey).length
      return ''
    },
  },
  {
    name: 'later than promised',
    apply: ({ slaProperties }) => {
      const latency = slaProperties?.find(({ property }) => property === 'latency')
      if (latency === undefined) return undefined
      latency.value *= 4
      return ''
    },
  },
]

/** Ten edits that leave every reader of before as well off. */
export const harmlessEdits: readonly Edit[] = [
  {
    name: 'column added',
    apply: (document) => {
      document.schema[0]?.properties.push({
        name: 'power_consumption',
        description: 'Power drawn',
        logicalType: 'number',
        physicalType: 'double',
        required: false,
        customProperties: [{ property: 'unit', value: 'W' }],
      })
      return 'power_consumption'
    },
  },
  columnEdit(
    'range widened',
    (one) => bounded(one),
    (property) => {
      const options = property.logicalTypeOptions
      if (options?.maximum !== undefined) options.maximum += 10
    },
  ),
  columnEdit('value also allowed', listed, (property) => {
    validValues(property).push('SOMETHING_NEW')
  }),
  columnEdit(
    'column deprecated',
    ({ required }) => !required,
    (property) => {
      property.customProperties = [
        ...(property.customProperties ?? []),
        { property: 'deprecatedOn', value: '2026-11-01' },
      ]
    },
  ),
  columnEdit(
    'described in other words',
    () => true,
    (property) => {
      property.description = `In other words: ${property.description}`
    },
  ),
  {
    name: 'columns in another order',
    apply: (document) => {
      document.schema[0]?.properties.reverse()
      return ''
    },
  },
  {
    name: 'sooner than promised',
    apply: ({ slaProperties }) => {
      const latency = slaProperties?.find(({ property }) => property === 'latency')
      if (latency === undefined) return undefined
      latency.value /= 2
      return ''
    },
  },
  {
    name: 'kept longer',
    apply: ({ slaProperties }) => {
      const retention = slaProperties?.find(({ property }) => property === 'retention')
      if (retention === undefined) return undefined
      retention.value += 100
      return ''
    },
  },
  {
    name: 'owner changed',
    apply: (document) => {
      document.team.name = 'night-shift'
      return ''
    },
  },
  {
    name: 'semantics added',
    apply: (document) => {
      const table = document.schema[0]
      const text = { type: 'text', description: 'Rows never overlap.' }
      if (table !== undefined) table.quality = [...(table.quality ?? []), text]
      return ''
    },
  },
]
