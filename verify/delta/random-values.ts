import type { DeltaField, DeltaType } from '@isotherm/delta'
import type { Random } from './seeded-random.ts'
import type { Value } from './values.ts'

const letters = [
  ...['a', 'b', 'Z', '0', '9', ' ', '_', '-', '.', '/', ':', '%', '%41', '&', '=', '+', '#', '?'],
  ...["'", '"', '\\', '\n', '\t', '\r', '{', '}', ',', ';', '\u007f', '\u0080', 'é', 'é', 'ß'],
  ...[
    'İ',
    'ǆ',
    '日',
    '本',
    '\u0000',
    '\u200d',
    '\u2028',
    '\ufeff',
    '\uffff',
    '😀',
    '\u{10ffff}',
    '𝔘',
    'ا',
  ],
]

/** Letters that need no escape in any engine's SQL and that tell nothing special to a folder name. */
const plainLetters = ['a', 'b', 'c', 'X', 'Y', '0', '1', '2', '_', '-', 'é', '日', '😀']

function textOf(random: Random, from: readonly string[], longest: number): string {
  const length = random.below(longest + 1)
  return Array.from({ length }, () => random.pick(from)).join('')
}

/** A text: empty, short, or past the length where statistics are cut, in all kinds of letters. */
export function randomText(random: Random): string {
  if (random.chance(0.4)) return textOf(random, plainLetters, 6)
  if (random.chance(0.2)) return textOf(random, ['a', '\u007f', '\u{10ffff}', 'é'], 70)
  return textOf(random, letters, random.chance(0.2) ? 90 : 12)
}

const specialDoubles = [Number.NaN, Infinity, -Infinity, 0, -0, 5e-324, Number.MAX_VALUE, 0.1]

function randomDouble(random: Random): number {
  if (random.chance(0.15)) return random.pick(specialDoubles)
  const scale = 10 ** (random.below(40) - 20)
  return (random.share() - 0.5) * scale
}

/** Whole numbers: the edges of the range, small ones, and any. */
function randomWhole(random: Random, bits: bigint): bigint {
  const high = 2n ** (bits - 1n) - 1n
  if (random.chance(0.1)) return random.pick([high, -high - 1n, 0n, -1n])
  if (random.chance(0.5)) return random.between(-50n, 50n)
  return random.between(-high - 1n, high)
}

// What ClickHouse can hold: 1900 to 2299. Older dates are tables of their own.
const [firstDay, lastDay] = [-25_567n, 120_529n]
const dayMicros = 86_400_000_000n

/** A value of the type, never null itself; what it is made of may be. */
export function randomValue(random: Random, type: DeltaType): Value {
  if (typeof type === 'object') return randomNested(random, type)
  switch (type) {
    case 'string':
      return randomText(random)
    case 'long':
      return randomWhole(random, 64n)
    case 'integer':
      return randomWhole(random, 32n)
    case 'short':
      return randomWhole(random, 16n)
    case 'byte':
      return randomWhole(random, 8n)
    case 'double':
      return randomDouble(random)
    case 'float':
      return Math.fround(randomDouble(random))
    case 'boolean':
      return random.chance(0.5)
    case 'binary':
      return Uint8Array.from({ length: random.below(9) }, () => random.below(256))
    case 'date':
      return random.chance(0.7)
        ? random.between(20_000n, 20_030n)
        : random.between(firstDay, lastDay)
    case 'timestamp':
    case 'timestamp_ntz':
      return random.chance(0.7)
        ? random.between(20_000n * dayMicros, 20_001n * dayMicros)
        : random.between(firstDay * dayMicros, lastDay * dayMicros)
    case 'void':
      return null
    default:
      throw new Error(`no values of type ${type}`)
  }
}

function randomNested(random: Random, type: Exclude<DeltaType, string>): Value {
  switch (type.type) {
    case 'decimal': {
      const limit = 10n ** BigInt(type.precision) - 1n
      if (random.chance(0.1)) return random.pick([limit, -limit, 0n])
      return random.between(-limit, limit) / 10n ** BigInt(random.below(type.precision))
    }
    case 'array':
      return Array.from({ length: random.below(4) }, () =>
        random.chance(0.2) ? null : randomValue(random, type.elementType),
      )
    case 'struct':
      return type.fields.map((field) =>
        random.chance(0.2) ? null : randomValue(random, field.type),
      )
    case 'map': {
      const keys = new Map<string, Value>()
      const count = random.below(4)
      for (let i = 0; i < count; i++) {
        const key = randomValue(random, type.keyType)
        keys.set(String(key), key)
      }
      return [...keys.values()].map((key) => [
        key,
        random.chance(0.2) ? null : randomValue(random, type.valueType),
      ])
    }
  }
}

/** A value of a partition column: few different ones, never the empty text. */
export function randomPartitionValue(random: Random, type: DeltaType): Value {
  if (random.chance(0.1)) return null
  if (type === 'string') {
    const text = textOf(random, random.chance(0.5) ? plainLetters : letters, 5)
    return text === '' ? 'p' : text
  }
  if (type === 'date') return random.between(20_000n, 20_003n)
  if (type === 'timestamp' || type === 'timestamp_ntz') {
    return random.between(20_000n, 20_003n) * dayMicros + random.pick([0n, 1n, 123_456n])
  }
  if (type === 'boolean') return random.chance(0.5)
  if (typeof type === 'object') return randomValue(random, type)
  return random.between(-3n, 3n)
}

/** A nullable field. */
export function field(name: string, type: DeltaType): DeltaField {
  return { name, type, nullable: true, metadata: {} }
}

const decimal = (precision: number, scale: number) =>
  ({ type: 'decimal', precision, scale }) as const

const plainTypes: readonly DeltaType[] = [
  ...(['string', 'string', 'long', 'long', 'integer', 'short', 'byte'] as const),
  ...(['double', 'double', 'float', 'boolean', 'binary', 'date', 'timestamp'] as const),
  ...[decimal(5, 2), decimal(9, 0), decimal(18, 6), decimal(20, 3), decimal(38, 10)],
]

/** A type of any kind, nested at most `depth` deep. */
export function randomType(random: Random, depth = 2): DeltaType {
  if (depth === 0 || random.chance(0.75)) return random.pick(plainTypes)
  const inner = () => randomType(random, depth - 1)
  switch (random.below(3)) {
    case 0:
      return { type: 'array', elementType: inner(), containsNull: true }
    case 1:
      return {
        type: 'map',
        keyType: random.pick(['string', 'integer', 'long', 'date'] as const),
        valueType: inner(),
        valueContainsNull: true,
      }
    default:
      return {
        type: 'struct',
        fields: Array.from({ length: 1 + random.below(3) }, (_, i) => field(`f${i}`, inner())),
      }
  }
}
