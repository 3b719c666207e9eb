import { unreachable } from '../../contracts/index.ts'
import type { Condition, Moment, Term, WindowCount } from './term.ts'

/** What a term reads; exact integers are bigint, doubles number. */
export type TermSource = {
  readonly moment: (sensor: number, moment: Moment) => bigint | number | null
  readonly count: (of: WindowCount) => bigint
  readonly column: (name: string) => number | null
}

const wordBits = 64n
const wordSize = 2 ** 64

/**
 * Nearest double of an integer as DuckDB makes it: from the two words of a 128-bit integer, each
 * rounded. It differs from a single rounding in the last bit now and then, and equal bits are what
 * lets a live value be compared with a stored one.
 */
function doubleOf(integer: bigint): number {
  const upper = integer >> wordBits
  const lower = BigInt.asUintN(64, integer)
  if (upper === -1n) return -Number((1n << wordBits) - 1n - lower) - 1
  return Number(lower) + Number(upper) * wordSize
}

function arithmetic(
  kind: 'minus' | 'times' | 'over',
  left: bigint | number,
  right: bigint | number,
): bigint | number {
  if (typeof left === 'bigint' && typeof right === 'bigint' && kind !== 'over') {
    return kind === 'minus' ? left - right : left * right
  }
  const [a, b] = [Number(left), Number(right)]
  if (kind === 'over') return a / b
  return kind === 'minus' ? a - b : a * b
}

function holds(source: TermSource, { left, is, right }: Condition): boolean {
  const value = evaluate(source, left)
  if (value === null) return false
  if (is === '>') return value > right
  return is === '>=' ? value >= right : Number(value) !== right
}

function evaluate(source: TermSource, term: Term): bigint | number | null {
  switch (term.kind) {
    case 'moment':
      return source.moment(term.sensor, term.moment)
    case 'count':
      return source.count(term.of)
    case 'column':
      return source.column(term.name)
    case 'integer':
      return BigInt(term.value)
    case 'decimal':
      return term.value
    case 'minus':
    case 'times':
    case 'over': {
      const left = evaluate(source, term.left)
      const right = evaluate(source, term.right)
      return left === null || right === null ? null : arithmetic(term.kind, left, right)
    }
    case 'real': {
      const value = evaluate(source, term.of)
      return typeof value === 'bigint' ? doubleOf(value) : value
    }
    case 'root': {
      const value = evaluate(source, term.of)
      return value === null ? null : Math.sqrt(Number(value))
    }
    case 'at_most': {
      const value = evaluate(source, term.of)
      return value === null ? null : Math.min(term.limit, Number(value))
    }
    case 'only_if':
      return term.all.every((condition) => holds(source, condition))
        ? evaluate(source, term.then)
        : null
    default:
      return unreachable(term)
  }
}

/** Value of a term, equal to the bit to what the DuckDB SQL of it gives. */
export function termValue(source: TermSource, term: Term): number | null {
  const value = evaluate(source, term)
  return value === null ? null : Number(value)
}
