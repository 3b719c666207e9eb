import type { DeltaSchema, DeltaType, PrimitiveName } from './schema.ts'

/** A type in short: a name, `decimal(p,s)`, or a type in full. */
export type ColumnType = PrimitiveName | `decimal(${number},${number})` | DeltaType

/**
 * A schema of nullable columns, for instance `columns({ device: 'string', price: 'decimal(10,2)' })`.
 * Lists, maps and structs are given in full; a struct's fields may come from `columns` themselves.
 */
export function columns(types: Readonly<Record<string, ColumnType>>): DeltaSchema {
  return {
    type: 'struct',
    fields: Object.entries(types).map(([name, type]) => ({
      name,
      type: fullType(type),
      nullable: true,
      metadata: {},
    })),
  }
}

function fullType(type: ColumnType): DeltaType {
  if (typeof type !== 'string') return type
  const decimal = /^decimal\((\d+),(\d+)\)$/.exec(type)
  if (decimal === null) return type as PrimitiveName
  return { type: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
}
