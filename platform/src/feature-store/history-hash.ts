import { quoteName } from '../contracts/index.ts'
import type { Lake } from '../lake/index.ts'
import { provenanceColumns } from './backfill.ts'

/** Content of a table version: equal hashes for equal rows, whatever the files. */
export type ContentHash = { readonly rowCount: number; readonly sha256: string }

/**
 * Hash of `feature_history` in key order without the columns that tell when it was computed.
 * @param version default the newest
 */
export async function historyHash(lake: Lake, version?: number): Promise<ContentHash> {
  const table = lake.table('feature_history')
  const snapshot = await table.snapshot(version === undefined ? {} : { version })
  const { columns, key } = table.contract
  const content = columns
    .filter(({ name }) => !provenanceColumns.includes(name))
    .map(({ name }) => quoteName(name))
  const order = key.map(quoteName).join(', ')
  const reader = await lake.withConnection((connection) =>
    connection.runAndReadAll(`SELECT count(*)::DOUBLE,
        coalesce(sha256(string_agg(line, chr(10) ORDER BY ${order})), '')
      FROM (SELECT ${key.map(quoteName).join(', ')}, sha256(to_json(row(${content.join(', ')}))) AS line
        FROM ${table.relation(snapshot)})`),
  )
  const [rowCount, sha256] = reader.getRows()[0] ?? []
  return { rowCount: Number(rowCount), sha256: String(sha256) }
}
