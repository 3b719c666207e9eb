import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { append, compact, createTable, folderStore, openTable } from '@isotherm/delta'
import type { Bench } from './bench.ts'
import { wideColumns, wideSchema } from './delta-rows.ts'

const rowCount = 1_000_000
const fileCount = 40

export const bench: Bench = {
  title: 'small files of a Delta table to large ones',
  size: `${rowCount} rows of ${wideSchema.fields.length} columns in ${fileCount} files`,
  unit: 'rows',
  rounds: 3,
  prepare: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'delta-bench-'))
    const original = join(folder, 'original')
    const table = await createTable(folderStore(original), { name: 'wide', schema: wideSchema })
    const share = rowCount / fileCount
    for (let i = 0; i < fileCount; i++) {
      await append(table, { columns: wideColumns(share, i * share) })
    }
    await table.settled()
    let round = 0
    const compacted = async (orderBy?: readonly string[]) => {
      const copy = join(folder, `copy-${round++}`)
      cpSync(original, copy, { recursive: true, preserveTimestamps: true })
      const outcome = await compact(
        await openTable(folderStore(copy)),
        orderBy === undefined ? {} : { orderBy },
      )
      if (outcome.kind !== 'compacted') throw new Error(`compaction ended as ${outcome.kind}`)
      rmSync(copy, { recursive: true })
    }
    return {
      cases: [
        { name: 'compact', units: rowCount, run: () => compacted() },
        {
          name: 'compact, sorted by device and time',
          units: rowCount,
          run: () => compacted(['device_id', 'event_time']),
        },
      ],
      close: async () => rmSync(folder, { recursive: true, force: true }),
    }
  },
}
