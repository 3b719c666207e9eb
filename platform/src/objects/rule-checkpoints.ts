import { sql } from 'kysely'
import type { StateDatabase } from './state-database.ts'

/** A partition of one generation of the device log. */
export type LogPartition = { readonly generation: number; readonly partition: number }

/** State of a device's stream rules after all its messages below an offset. */
export type RuleStateRow = {
  readonly deviceId: string
  /** One past the last message of the device that the state contains. */
  readonly nextOffset: number
  /** State as JSON; its form belongs to the stream rules. */
  readonly body: string
}

/**
 * Checkpoints of the stream rules. Every device's state carries its own offset, so that states can
 * be written in small batches while messages keep coming: whoever reads the log again from the
 * partition's position skips what a device's state already contains.
 */
export type RuleCheckpoints = {
  /** Offset from which a partition has to be read again, or undefined if it never was. */
  readonly position: (partition: LogPartition) => Promise<number | undefined>
  readonly setPosition: (partition: LogPartition, nextOffset: number) => Promise<void>
  /** States of a partition, in pages. */
  readonly load: (partition: LogPartition) => AsyncIterable<readonly RuleStateRow[]>
  readonly save: (partition: LogPartition, rows: readonly RuleStateRow[]) => Promise<void>
}

/** States read at a time; one may be some kilobytes. */
const rowsPerPage = 2_000

/** Writes rule states in the caller's transaction. */
export async function writeRuleStates(
  database: StateDatabase,
  { generation, partition }: LogPartition,
  rows: readonly RuleStateRow[],
): Promise<void> {
  if (rows.length === 0) return
  await sql`
    INSERT INTO rule_states (device_id, generation, partition, next_offset, body)
    SELECT value ->> 'deviceId', ${generation}, ${partition}, value ->> 'nextOffset', value ->> 'body'
    FROM json_each(${JSON.stringify(rows)}) WHERE true
    ON CONFLICT (device_id) DO UPDATE SET generation = excluded.generation,
      partition = excluded.partition, next_offset = excluded.next_offset,
      body = excluded.body`.execute(database)
}

/** Rule checkpoints over their tables. */
export function openRuleCheckpoints(database: StateDatabase): RuleCheckpoints {
  return {
    position: async ({ generation, partition }) => {
      const row = await database
        .selectFrom('rule_positions')
        .select('next_offset')
        .where('generation', '=', generation)
        .where('partition', '=', partition)
        .executeTakeFirst()
      return row?.next_offset
    },
    setPosition: async ({ generation, partition }, nextOffset) => {
      await database
        .insertInto('rule_positions')
        .values({ generation, partition, next_offset: nextOffset })
        .onConflict((conflict) =>
          conflict.columns(['generation', 'partition']).doUpdateSet({ next_offset: nextOffset }),
        )
        .execute()
    },
    load: async function* ({ generation, partition }) {
      let after = ''
      for (;;) {
        const rows = await database
          .selectFrom('rule_states')
          .select(['device_id', 'next_offset', 'body'])
          .where('generation', '=', generation)
          .where('partition', '=', partition)
          .where('device_id', '>', after)
          .orderBy('device_id')
          .limit(rowsPerPage)
          .execute()
        if (rows.length === 0) return
        after = rows.at(-1)!.device_id
        yield rows.map((row) => ({
          deviceId: row.device_id,
          nextOffset: row.next_offset,
          body: row.body,
        }))
      }
    },
    save: (partition, rows) =>
      database
        .transaction()
        .execute((transaction) => writeRuleStates(transaction, partition, rows)),
  }
}
