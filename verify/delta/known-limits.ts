import type { DeltaField, DeltaType } from '@isotherm/delta'
import type { Row, Value } from './values.ts'

/** ClickHouse has no null list and no null map: it reads them as empty. */
function clickHouseValue(type: DeltaType, value: Value): Value {
  if (typeof type === 'string' || type.type === 'decimal') return value
  if (type.type === 'array') {
    return ((value ?? []) as readonly Value[]).map((item) =>
      clickHouseValue(type.elementType, item),
    )
  }
  if (type.type === 'map') {
    return ((value ?? []) as readonly (readonly Value[])[]).map(([key = null, item = null]) => [
      key,
      clickHouseValue(type.valueType, item),
    ])
  }
  const parts = value as readonly Value[] | null
  return type.fields.map((field, i) => clickHouseValue(field.type, parts?.[i] ?? null))
}

/** The row as ClickHouse can hold it. */
export function asClickHouseReads(fields: readonly DeltaField[], row: Row): Row {
  return fields.map((field, i) => clickHouseValue(field.type, row[i] ?? null))
}

/** Why ClickHouse is asked for something else than the rows as written. */
export function clickHouseLimits(
  fields: readonly DeltaField[],
  rows: readonly Row[],
): readonly string[] {
  const isNested = ({ type }: DeltaField) => typeof type === 'object' && type.type !== 'decimal'
  const hasNested = rows.length > 0 && fields.some(isNested)
  return hasNested ? ['chdb reads a null list or map as empty, a null struct as nulls'] : []
}
