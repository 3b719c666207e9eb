import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { columns, createTable, folderStore, openTable } from '@isotherm/delta'
import type { Bench } from './bench.ts'

const commitCount = 10_050

export const bench: Bench = {
  title: 'a long log to a snapshot, and one commit to it',
  size: `${commitCount} commits of one file, a checkpoint every 100, 50 commits after the last`,
  unit: 'opens or commits',
  rounds: 15,
  prepare: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'delta-bench-'))
    const store = folderStore(folder)
    const table = await createTable(store, {
      name: 'long',
      schema: columns({ id: 'long', value: 'double' }),
      configuration: { 'delta.checkpointInterval': '100' },
    })
    let version = 0
    const commit = async (to = table) => {
      version += 1
      const stats =
        `{"numRecords":1000,"minValues":{"id":${version * 1000},"value":-1},` +
        `"maxValues":{"id":${version * 1000 + 999},"value":1},"nullCount":{"id":0,"value":0}}`
      const path = `part-00000-${String(version).padStart(36, '0')}-c000.zstd.parquet`
      const file = { path, partitionValues: {}, size: 10_000, modificationTime: 0 }
      await to.commit({ adds: [{ ...file, dataChange: true, stats }], operation: 'WRITE' })
    }
    for (let i = 0; i < commitCount; i++) await commit()
    await table.settled()
    return {
      cases: [
        {
          name: 'open and snapshot',
          units: 1,
          run: async () => {
            const { files } = await (await openTable(store)).snapshot()
            if (files.length < commitCount) throw new Error(`${files.length} files`)
          },
        },
        {
          name: 'snapshot again, nothing new',
          units: 1,
          run: async () => {
            await table.snapshot()
          },
        },
        { name: 'commit of one file', units: 1, run: () => commit() },
      ],
      close: async () => rmSync(folder, { recursive: true, force: true }),
    }
  },
}
