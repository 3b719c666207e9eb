import { createHash } from 'node:crypto'
import { HttpProblem } from './problem.ts'

/** Short name of a list and its filters. */
function fingerprint(list: string): string {
  return createHash('sha256').update(list).digest('base64url').slice(0, 12)
}

/**
 * A page position as opaque text. It holds the filters' fingerprint too: a cursor of another list
 * is refused instead of giving a page of something else.
 */
export function encodeCursor(list: string, position: number): string {
  return Buffer.from(JSON.stringify([fingerprint(list), position]), 'utf8').toString('base64url')
}

/** Position of a cursor, 0 without one. @throws HttpProblem 400 if it is of another list */
export function decodeCursor(list: string, cursor: string | undefined): number {
  if (cursor === undefined) return 0
  const found = parsed(cursor)
  if (Array.isArray(found) && found[0] === fingerprint(list)) {
    const position: unknown = found[1]
    if (typeof position === 'number' && Number.isSafeInteger(position) && position >= 0) {
      return position
    }
  }
  throw new HttpProblem(400, 'The cursor does not belong to this list.', {
    where: 'query.cursor',
    expected: 'the next_cursor of the page before, with the same filters',
    what_to_do: 'start again without a cursor',
  })
}

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    // Not one of ours: the caller answers with what a cursor should be.
    return undefined
  }
}
