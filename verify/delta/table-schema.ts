import type { DeltaField, DeltaType } from '@isotherm/delta'

/** One text for a type, whatever form an engine wrote it in. */
export function typeText(type: DeltaType | { readonly type: string }): string {
  if (typeof type === 'string') return type
  const form = type as Exclude<DeltaType, string>
  switch (form.type) {
    case 'decimal':
      return `decimal(${form.precision},${form.scale})`
    case 'array':
      return `array<${typeText(form.elementType)}>`
    case 'map':
      return `map<${typeText(form.keyType)},${typeText(form.valueType)}>`
    case 'struct':
      return `struct<${schemaText(form.fields)}>`
    default:
      return String((type as { readonly type: string }).type)
  }
}

/** Names, types and nullability of columns. */
export function schemaText(fields: readonly DeltaField[]): string {
  return fields
    .map(({ name, type, nullable }) => `${name} ${typeText(type)}${nullable ? '' : ' not null'}`)
    .join(', ')
}

/** Names and types as ClickHouse knows them: one type for text and bytes, one for all times. */
export function clickHouseSchemaText(fields: readonly DeltaField[]): string {
  const names: Readonly<Record<string, string>> = {
    binary: 'string',
    timestamp_ntz: 'timestamp',
    array: 'array',
    map: 'map',
    struct: 'tuple',
  }
  return fields
    .map(({ name, type }) => {
      const isNested = typeof type === 'object' && type.type !== 'decimal'
      const kind = isNested ? type.type : typeText(type)
      return `${name} ${names[kind] ?? kind}`
    })
    .join(', ')
}
