// A writer process for the concurrency and crash tests: appends rows one commit at a time.
// Arguments: folder, writer number, commits to make, where to stop for good ('' or 'before-commit').
import { DuckDBInstance } from '@duckdb/node-api'
import { writeFiles } from './data/write-files.ts'
import { openTable } from './open-table.ts'
import { folderStore } from './store/folder-store.ts'

const [folder = '', writer = '0', commitCount = '1', stopAt = ''] = process.argv.slice(2)
const appId = `writer-${writer}`
const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
const connection = await instance.connect()
await connection.run("SET TimeZone='UTC'")
const table = await openTable(folderStore(folder))
for (;;) {
  const snapshot = await table.snapshot()
  const next = (snapshot.transactions.get(appId) ?? -1) + 1
  if (next >= Number(commitCount)) break
  const query = `SELECT ${writer}::BIGINT AS writer, ${next}::BIGINT AS number`
  const adds = await writeFiles(connection, table, query, { snapshot })
  if (stopAt === 'before-commit') {
    process.stdout.write('files written\n')
    await new Promise((resolve) => setTimeout(resolve, 60_000))
  }
  const transactions = [{ appId, version: next }]
  await table.commit({ readVersion: snapshot.version, adds, transactions, operation: 'WRITE' })
  process.stdout.write(`${next}\n`)
}
