import {
  changeRows,
  checkTable,
  DeltaError,
  describeTable,
  folderStore,
  openTable,
  rows,
  vacuum,
} from '../../src/index.ts'

/** What came of one use of a damaged table: `ok`, or the code of its error. */
export type UseOutcome = { readonly use: string; readonly outcome: string }

/** An error that is not of this library's list: what the fuzzer looks for. */
export class UntypedFailure extends Error {}

/**
 * Uses a table in every reading way. A damage may be seen or not, but only errors with a code may
 * come of it.
 * @throws UntypedFailure
 */
export async function useTable(folder: string): Promise<readonly UseOutcome[]> {
  const store = folderStore(folder)
  const uses: Readonly<Record<string, () => Promise<void>>> = {
    rows: async () => {
      for await (const batch of rows(await openTable(store))) {
        if (batch.rowCount < 0) throw new Error('a batch of negative size')
      }
    },
    filtered: async () => {
      const where = { column: 'id', is: '>=', value: 20 } as const
      for await (const batch of rows(await openTable(store), { where })) {
        if (batch.rowCount < 0) throw new Error('a batch of negative size')
      }
    },
    describe: async () => {
      await describeTable(await openTable(store))
    },
    history: async () => {
      await (await openTable(store)).history()
    },
    travel: async () => {
      await (await openTable(store)).snapshot({ version: 3 })
    },
    changes: async () => {
      const table = await openTable(store)
      const { version } = await table.snapshot()
      const range = { afterVersion: Math.max(0, version - 3), toVersion: version }
      for await (const batch of changeRows(table, range)) {
        if (batch.rowCount < 0) throw new Error('a batch of negative size')
      }
    },
    vacuum: async () => {
      await vacuum(await openTable(store), { dryRun: true })
    },
    check: async () => {
      await checkTable(store)
    },
  }
  const outcomes: UseOutcome[] = []
  for (const [use, task] of Object.entries(uses)) {
    try {
      await task()
      outcomes.push({ use, outcome: 'ok' })
    } catch (cause) {
      if (!(cause instanceof DeltaError)) {
        const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
        throw new UntypedFailure(`${use}: ${stack}`)
      }
      outcomes.push({ use, outcome: cause.code })
    }
  }
  return outcomes
}
