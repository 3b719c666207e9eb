import type { MappingMode } from '../schema/column-mapping.ts'
import { isRenamedInside, physicalName } from '../schema/column-mapping.ts'
import type { DeltaType } from '../schema/schema.ts'
import { unreachable } from '../schema/schema.ts'
import { sqlName, sqlText } from './sql-text.ts'

/**
 * SQL that gives the nested fields of a value their names of the schema. A value without renamed
 * fields is passed through untouched.
 * @param expression the value with the names of the data file
 */
export function renamedValue(
  expression: string,
  type: DeltaType,
  mode: MappingMode,
  depth = 0,
): string {
  if (typeof type === 'string' || !isRenamedInside(type, mode)) return expression
  const item = `item_${depth}`
  switch (type.type) {
    case 'decimal':
      return expression
    case 'array': {
      const element = renamedValue(item, type.elementType, mode, depth + 1)
      return `list_transform(${expression}, lambda ${item}: ${element})`
    }
    case 'map': {
      const key = renamedValue(`${item}.key`, type.keyType, mode, depth + 1)
      const value = renamedValue(`${item}.value`, type.valueType, mode, depth + 1)
      const entry = `struct_pack(k := ${key}, v := ${value})`
      return `map_from_entries(list_transform(map_entries(${expression}), lambda ${item}: ${entry}))`
    }
    case 'struct': {
      const parts = type.fields.map((field) => {
        const inner = `struct_extract(${expression}, ${sqlText(physicalName(field, mode))})`
        return `${sqlName(field.name)} := ${renamedValue(inner, field.type, mode, depth)}`
      })
      // struct_pack of nulls is not null, so a null struct is kept apart.
      return `CASE WHEN ${expression} IS NOT NULL THEN struct_pack(${parts.join(', ')}) END`
    }
    default:
      return unreachable(type)
  }
}
