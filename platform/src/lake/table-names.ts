import { IsothermError } from '../contracts/index.ts'

/** A table mentioned in a query, as of a version or an instant if the text says so. */
export type TableMention = {
  readonly table: string
  readonly version?: number
  readonly timestampMs?: number
}

/** A query with every mention of a lake table replaced by the name of a view. */
export type ResolvedQuery = {
  readonly sql: string
  readonly mentions: ReadonlyMap<string, TableMention>
}

/** Splits SQL into quoted or commented pieces, which are left alone, and code. */
const piecePattern = /'(?:[^']|'')*'|--[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"]|"")*"|[^'"/-]+|[/-]/g

const asOfPattern =
  /^\s+(?:FOR\s+)?(?:(VERSION|TIMESTAMP)\s+AS\s+OF|AS\s+OF\s+(VERSION|TIMESTAMP)?)\s*('([^']*)'|\d+)/i

function mentionAt(table: string, match: RegExpExecArray): TableMention {
  const kind = (match[1] ?? match[2])?.toUpperCase()
  const text = match[4]
  if (text === undefined || kind === 'VERSION') {
    return { table, version: Number(text ?? match[3]) }
  }
  const timestampMs = Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`)
  if (Number.isFinite(timestampMs)) return { table, timestampMs }
  throw new IsothermError(
    'INPUT_INVALID',
    `${table} AS OF '${text}': expected an instant such as 2026-11-21T00:00:00Z, or VERSION and a number`,
  )
}

/**
 * Finds lake tables in a query and rewrites `name AS OF VERSION 3`, `name VERSION AS OF 3`,
 * `name TIMESTAMP AS OF '2026-11-20T00:00:00Z'` and plain `name` to view names. Text inside quotes
 * and comments is left alone.
 */
export function resolveTables(sql: string, tableNames: readonly string[]): ResolvedQuery {
  const mentions = new Map<string, TableMention>()
  const names = new RegExp(`(?<![\\w.])(${tableNames.join('|')})(?![\\w(])`, 'gi')
  const protectedSpans = [...sql.matchAll(piecePattern)]
    .filter(([piece]) => /^('|--|\/\*)/.test(piece))
    .map((match) => [match.index, match.index + match[0].length] as const)
  const isProtected = (index: number) =>
    protectedSpans.some(([start, end]) => index >= start && index < end)

  let rewritten = ''
  let last = 0
  for (const match of sql.matchAll(names)) {
    if (match.index < last || isProtected(match.index)) continue
    // A column of the same name behind a dot, or an alias, is not a table.
    const table = match[1]!.toLowerCase()
    const after = sql.slice(match.index + match[0].length)
    const asOf = asOfPattern.exec(after)
    const mention = asOf === null ? { table } : mentionAt(table, asOf)
    const suffix =
      mention.version !== undefined
        ? `@v${mention.version}`
        : mention.timestampMs !== undefined
          ? `@t${mention.timestampMs}`
          : ''
    const view = `${table}${suffix}`
    mentions.set(view, mention)
    rewritten += sql.slice(last, match.index)
    rewritten += suffix === '' ? match[0] : `"${view}"`
    last = match.index + match[0].length + (asOf?.[0].length ?? 0)
  }
  return { sql: rewritten + sql.slice(last), mentions }
}
