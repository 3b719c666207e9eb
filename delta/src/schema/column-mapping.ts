import { InvalidSchema } from '../errors.ts'
import type { Metadata, Protocol } from '../log/actions.ts'
import type { DeltaField, DeltaType } from './schema.ts'
import { unreachable } from './schema.ts'

/** How columns are found in data files and in the log: by their own name, another one, or a number. */
export type MappingMode = 'none' | 'name' | 'id'

const nameKey = 'delta.columnMapping.physicalName'
const idKey = 'delta.columnMapping.id'

/**
 * The table's `delta.columnMapping.mode`, where its protocol switches that on. Delta: "Column Mapping".
 * @throws InvalidSchema for a mode the protocol does not know
 */
export function mappingMode(
  { protocol, metadata }: { readonly protocol: Protocol; readonly metadata: Metadata },
  table: string,
): MappingMode {
  const { minReaderVersion, readerFeatures = [] } = protocol
  const isOn = minReaderVersion === 2 || readerFeatures.includes('columnMapping')
  const property = metadata.configuration['delta.columnMapping.mode']
  const mode = isOn && property !== undefined ? property.toLowerCase() : 'none'
  if (mode === 'none' || mode === 'name' || mode === 'id') return mode
  throw new InvalidSchema({
    table,
    where: 'property delta.columnMapping.mode',
    what: 'is no known way to find columns',
    expected: 'none, name or id',
    found: mode,
    fix: 'repair the metaData action',
  })
}

/** Name of a column in data files, partition values and statistics. */
export function physicalName(field: DeltaField, mode: MappingMode): string {
  const name = field.metadata[nameKey]
  return mode !== 'none' && typeof name === 'string' ? name : field.name
}

/**
 * Number by which Parquet files mark the column in mode `id`.
 * @throws InvalidSchema if the schema lacks it
 */
export function fieldId(field: DeltaField, table: string): number {
  const id = field.metadata[idKey]
  if (typeof id === 'number' && Number.isInteger(id)) return id
  throw new InvalidSchema({
    table,
    where: `column ${field.name}`,
    what: `has no ${idKey}, by which the table finds its columns`,
    fix: 'repair the metaData action',
  })
}

/** The type with the names that nested fields have in data files. */
export function physicalType(type: DeltaType, mode: MappingMode): DeltaType {
  if (mode === 'none' || typeof type === 'string') return type
  switch (type.type) {
    case 'decimal':
      return type
    case 'array':
      return { ...type, elementType: physicalType(type.elementType, mode) }
    case 'map':
      return {
        ...type,
        keyType: physicalType(type.keyType, mode),
        valueType: physicalType(type.valueType, mode),
      }
    case 'struct':
      return {
        type: 'struct',
        fields: type.fields.map((field) => ({
          ...field,
          name: physicalName(field, mode),
          type: physicalType(field.type, mode),
        })),
      }
    default:
      return unreachable(type)
  }
}

/** True if a field somewhere inside the type has another name in data files. */
export function isRenamedInside(type: DeltaType, mode: MappingMode): boolean {
  if (mode === 'none' || typeof type === 'string') return false
  switch (type.type) {
    case 'decimal':
      return false
    case 'array':
      return isRenamedInside(type.elementType, mode)
    case 'map':
      return isRenamedInside(type.keyType, mode) || isRenamedInside(type.valueType, mode)
    case 'struct':
      return type.fields.some(
        (field) => physicalName(field, mode) !== field.name || isRenamedInside(field.type, mode),
      )
    default:
      return unreachable(type)
  }
}
