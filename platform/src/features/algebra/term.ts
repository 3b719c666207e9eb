/**
 * What a window keeps of one sensor's readings, each as an exact integer of grid steps or
 * milliseconds: they merge without rounding, in any order. `p95` alone is not mergeable.
 */
export type Moment =
  | 'n'
  | 'sum'
  | 'squares'
  | 'min'
  | 'max'
  | 'p95'
  | 'true'
  | 'times'
  | 'time_squares'
  | 'time_products'

/** What a window keeps of its readings as a whole. */
export type WindowCount = 'reading_count' | 'null_count' | 'quality_flag_count' | 'own_sensors'

/** A condition on a term; false when the term is null. */
export type Condition = {
  readonly left: Term
  readonly is: '>' | '>=' | '<>'
  readonly right: number
}

/**
 * A formula over a window's moments and earlier features of the row, from which come the SQL of each
 * dialect and the value in the live form. `plus`, `minus` and `times` are exact on integers;
 * `real` turns an integer into a double, and from there on one rounding follows each operation.
 */
export type Term =
  | { readonly kind: 'moment'; readonly sensor: number; readonly moment: Moment }
  | { readonly kind: 'count'; readonly of: WindowCount }
  | { readonly kind: 'column'; readonly name: string }
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'decimal'; readonly value: number }
  | { readonly kind: 'minus' | 'times' | 'over'; readonly left: Term; readonly right: Term }
  | { readonly kind: 'real' | 'root'; readonly of: Term }
  | { readonly kind: 'at_most'; readonly of: Term; readonly limit: number }
  | { readonly kind: 'only_if'; readonly all: readonly Condition[]; readonly then: Term }

export const integer = (value: number): Term => ({ kind: 'integer', value })
export const decimal = (value: number): Term => ({ kind: 'decimal', value })
export const column = (name: string): Term => ({ kind: 'column', name })
export const count = (of: WindowCount): Term => ({ kind: 'count', of })
export const moment = (sensor: number, name: Moment): Term => ({
  kind: 'moment',
  sensor,
  moment: name,
})
export const minus = (left: Term, right: Term): Term => ({ kind: 'minus', left, right })
export const times = (left: Term, right: Term): Term => ({ kind: 'times', left, right })
/** Quotient of two doubles. */
export const over = (left: Term, right: Term): Term => ({ kind: 'over', left, right })
export const real = (of: Term): Term => ({ kind: 'real', of })
export const root = (of: Term): Term => ({ kind: 'root', of })
export const atMost = (limit: number, of: Term): Term => ({ kind: 'at_most', of, limit })
export const onlyIf = (all: readonly Condition[], then: Term): Term => ({
  kind: 'only_if',
  all,
  then,
})

/** All moments that a term reads, with repeats. */
export function momentsOf(
  term: Term,
): readonly { readonly sensor: number; readonly moment: Moment }[] {
  switch (term.kind) {
    case 'moment':
      return [term]
    case 'minus':
    case 'times':
    case 'over':
      return [...momentsOf(term.left), ...momentsOf(term.right)]
    case 'real':
    case 'root':
    case 'at_most':
      return momentsOf(term.of)
    case 'only_if':
      return [...term.all.flatMap(({ left }) => momentsOf(left)), ...momentsOf(term.then)]
    default:
      return []
  }
}
