// A writer process for C3. Commits number after number, each exactly once however often the process
// is killed and started again; appends, rewrites of its own rows, and rewrites of one row that all
// writers share. Prints the number of each commit that stands.
// Arguments: folder, writer, commit count.
import {
  append,
  type DeltaTable,
  folderStore,
  openTable,
  replaceWhere,
  upsert,
} from '@isotherm/delta'
import { counterOf, counterWriter, kindOf } from './commit-plan.ts'
import { openDatabase } from './our-engine.ts'

const [folder = '', writerText = '0', countText = '1'] = process.argv.slice(2)
const writer = Number(writerText)
const appId = `writer-${writer}`
const { connection, close } = await openDatabase(1)
const table = await openTable(folderStore(folder))

async function commitOnce(table: DeltaTable, number: number): Promise<void> {
  const options = { transaction: { appId, version: number }, maxAttempts: 1000 }
  const query = (rows: readonly string[]) => ({
    query: `SELECT * FROM (VALUES ${rows.join(', ')}) AS rows(writer, number, value)`,
    connection,
  })
  const kind = kindOf(number)
  if (kind === 'append') {
    const rows = query([`(${writer}, ${number}, ${number}::BIGINT)`])
    const outcome = await append(table, rows, options)
    if (outcome.kind !== 'committed') throw new Error(`append ended as ${outcome.kind}`)
    return
  }
  if (kind === 'replace') {
    const first = number - (number % 10)
    const numbers = Array.from({ length: number - first + 1 }, (_, i) => first + i)
    const rows = query(numbers.map((n) => `(${writer}, ${n}, ${n}::BIGINT)`))
    const mine = { column: 'writer', is: '=', value: writer } as const
    const recent = { column: 'number', is: '>=', value: first } as const
    const outcome = await replaceWhere(table, { and: [mine, recent] }, rows, options)
    if (outcome.kind !== 'committed') throw new Error(`replaceWhere ended as ${outcome.kind}`)
    return
  }
  await countUp(number)
}

/** Adds one to the shared row. Read and write must meet in one commit, or a count is lost. */
async function countUp(number: number): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const snapshot = await table.snapshot()
    if ((snapshot.transactions.get(appId) ?? -1) >= number) return
    const before = await counterOf(connection, table, snapshot)
    const outcome = await upsert(
      pinned(table, snapshot.version),
      {
        query: `SELECT ${counterWriter} AS writer, 0 AS number, ${before + 1}::BIGINT AS value
          UNION ALL SELECT ${writer}, ${number}, ${number}::BIGINT`,
        connection,
      },
      { keys: ['writer', 'number'], transaction: { appId, version: number }, maxAttempts: 1 },
    )
    if (outcome.kind === 'committed') return
  }
  throw new Error(`commit ${number} never won`)
}

/** The table as it was: what is planned on it conflicts with everything since that overlaps. */
function pinned(table: DeltaTable, version: number): DeltaTable {
  return { ...table, snapshot: () => table.snapshot({ version }) }
}

for (;;) {
  const { transactions } = await table.snapshot()
  const number = (transactions.get(appId) ?? -1) + 1
  if (number >= Number(countText)) break
  await commitOnce(table, number)
  process.stdout.write(`${number}\n`)
}
close()
