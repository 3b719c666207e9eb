import { unreachable } from '../../contracts/index.ts'
import type { Dialect } from './dialect.ts'
import type { Condition, Term } from './term.ts'

function conditionSql(dialect: Dialect, { left, is, right }: Condition): string {
  return `${termSql(dialect, left)} ${is} ${right}`
}

/** SQL of a term over columns named `{moment}_{sensor}` and the row's earlier features. */
export function termSql(dialect: Dialect, term: Term): string {
  const sql = (one: Term) => termSql(dialect, one)
  switch (term.kind) {
    case 'moment':
      return `${term.moment}_${term.sensor}`
    case 'count':
      return term.of
    case 'column':
      return dialect.quote(term.name)
    case 'integer':
      return String(term.value)
    case 'decimal':
      return dialect.doubleLiteral(term.value)
    case 'minus':
      return `(${sql(term.left)} - ${sql(term.right)})`
    case 'times':
      return `(${sql(term.left)} * ${sql(term.right)})`
    case 'over':
      return `(${sql(term.left)} / ${sql(term.right)})`
    case 'real':
      return dialect.double(sql(term.of))
    case 'root':
      return `sqrt(${sql(term.of)})`
    case 'at_most':
      return `least(${dialect.doubleLiteral(term.limit)}, ${sql(term.of)})`
    case 'only_if': {
      const all = term.all.map((condition) => conditionSql(dialect, condition))
      return `CASE WHEN ${all.join(' AND ')} THEN ${sql(term.then)} END`
    }
    default:
      return unreachable(term)
  }
}
