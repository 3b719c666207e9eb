import type { DuckDBConnection } from '@duckdb/node-api'
import type { Slice } from '../clean/index.ts'
import type { FleetDefinition } from '../contracts/index.ts'
import type { Expectation } from './expectation.ts'
import type { GateResult } from './gate-entry.ts'

type RowExpectation = Expectation & {
  readonly judgedBy: Extract<Expectation['judgedBy'], { readonly kind: 'rows' }>
}

const isRowExpectation = (one: Expectation): one is RowExpectation => one.judgedBy.kind === 'rows'

/**
 * Judges the row expectations of one table over some of its rows, per slice, in one pass. Rows of
 * devices that nobody registered count for the whole fleet.
 * @param relation SQL for a FROM clause; the table `device_slices` must be there
 */
export async function judgeRows(
  connection: DuckDBConnection,
  fleet: FleetDefinition,
  expectations: readonly Expectation[],
  relation: string,
  slices: readonly Slice[],
): Promise<readonly GateResult[]> {
  const judged = expectations.filter(isRowExpectation)
  if (judged.length === 0) return []
  const faults = judged.map(
    ({ judgedBy }) => `count_if(coalesce(${judgedBy.fault(fleet)}, false))::DOUBLE`,
  )
  const reader =
    await connection.runAndReadAll(`SELECT slice, count(*)::DOUBLE, ${faults.join(', ')}
    FROM ${relation} AS judged LEFT JOIN device_slices ON registered_id = judged.device_id
    GROUP BY slice`)
  return reader.getRowsJS().flatMap(([sliceIndex, count, ...counts]) => {
    const slice = sliceIndex === null ? undefined : slices[Number(sliceIndex)]
    const scope = slice === undefined ? {} : { siteId: slice.siteId, firmware: slice.firmware }
    const rowCount = Number(count)
    return judged.flatMap(
      ({ id, table, severity, limit = 0, minRows = 1, hold }, index): GateResult[] => {
        if (rowCount < minRows) return []
        const value = Number(counts[index]) / rowCount
        const isPassed = value <= limit
        // Where a gate before the table exists, that one holds the rows.
        const isHolding = !isPassed && severity === 'FAIL' && hold === undefined
        const holds = isHolding ? 'scoring' : 'nothing'
        return [{ gateId: id, table, severity, scope, isPassed, holds, value, limit, rowCount }]
      },
    )
  })
}
