import type { DeltaType } from '../schema/schema.ts'
import { unreachable } from '../schema/schema.ts'
import type { CompactWriter } from './compact-writer.ts'

/** Physical types of Parquet, by their numbers in the format. */
export const physicalType = {
  boolean: 0,
  int32: 1,
  int64: 2,
  float: 4,
  double: 5,
  byteArray: 6,
  fixedBytes: 7,
} as const

/** How a column is stored. Source: parquet-format, LogicalTypes.md and parquet.thrift. */
export interface ColumnLayout {
  readonly physical: keyof typeof physicalType
  /** Bytes of a value of `fixedBytes`. */
  readonly typeLength?: number
  /** The older annotation, for readers that know no logical types. */
  readonly convertedType?: number
  readonly decimal?: { readonly precision: number; readonly scale: number }
  /** Writes the fields of the union LogicalType. */
  readonly logicalType?: (out: CompactWriter) => void
}

/** Converted types, by their numbers in the format. */
const converted = {
  utf8: 0,
  decimal: 5,
  date: 6,
  micros: 10,
  int8: 15,
  int16: 16,
  int32: 17,
  int64: 18,
}

/** Width of decimals that no integer holds: 38 digits, as other writers have it. */
const wideDecimalBytes = 16

const nothing = () => undefined

/** How a type is stored, or undefined for types with parts. */
export function columnLayout(type: DeltaType): ColumnLayout | undefined {
  if (typeof type !== 'string') {
    return type.type === 'decimal' ? decimalLayout(type.precision, type.scale) : undefined
  }
  switch (type) {
    case 'string':
      return {
        physical: 'byteArray',
        convertedType: converted.utf8,
        logicalType: (out) => out.struct(1, nothing),
      }
    case 'binary':
      return { physical: 'byteArray' }
    case 'boolean':
      return { physical: 'boolean' }
    case 'double':
      return { physical: 'double' }
    case 'float':
      return { physical: 'float' }
    case 'byte':
      return wholeLayout('int32', 8, converted.int8)
    case 'short':
      return wholeLayout('int32', 16, converted.int16)
    case 'integer':
    case 'void':
      return wholeLayout('int32', 32, converted.int32)
    case 'long':
      return wholeLayout('int64', 64, converted.int64)
    case 'date':
      return {
        physical: 'int32',
        convertedType: converted.date,
        logicalType: (out) => out.struct(6, nothing),
      }
    case 'timestamp':
      return {
        physical: 'int64',
        convertedType: converted.micros,
        logicalType: (out) => timestampType(out, true),
      }
    case 'timestamp_ntz':
      // No converted type stands for a wall-clock time: TIMESTAMP_MICROS is an instant.
      return { physical: 'int64', logicalType: (out) => timestampType(out, false) }
    default:
      return unreachable(type)
  }
}

function wholeLayout(
  physical: 'int32' | 'int64',
  bits: number,
  convertedType: number,
): ColumnLayout {
  return {
    physical,
    convertedType,
    logicalType: (out) =>
      out.struct(10, () => {
        out.byte(1, bits)
        out.bool(2, true)
      }),
  }
}

function timestampType(out: CompactWriter, isAdjustedToUtc: boolean): void {
  out.struct(8, () => {
    out.bool(1, isAdjustedToUtc)
    out.struct(2, () => out.struct(2, nothing))
  })
}

function decimalLayout(precision: number, scale: number): ColumnLayout {
  const physical = precision <= 9 ? 'int32' : precision <= 18 ? 'int64' : 'fixedBytes'
  return {
    physical,
    ...(physical === 'fixedBytes' ? { typeLength: wideDecimalBytes } : {}),
    convertedType: converted.decimal,
    decimal: { precision, scale },
    logicalType: (out) =>
      out.struct(5, () => {
        out.i32(1, scale)
        out.i32(2, precision)
      }),
  }
}
