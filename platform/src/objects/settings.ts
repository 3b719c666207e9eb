import type { StateDatabase } from './state-database.ts'

/** Small named values of the runtime: schedules done, gates, choices. JSON, at most a few KB each. */
export type Settings = {
  readonly get: (name: string) => Promise<unknown>
  readonly set: (name: string, value: unknown) => Promise<void>
}

/** Settings over their table. A name never set reads as undefined. */
export function openSettings(database: StateDatabase): Settings {
  return {
    get: async (name) => {
      const row = await database
        .selectFrom('settings')
        .select('value')
        .where('name', '=', name)
        .executeTakeFirst()
      return row === undefined ? undefined : JSON.parse(row.value)
    },
    set: async (name, value) => {
      const text = JSON.stringify(value)
      await database
        .insertInto('settings')
        .values({ name, value: text })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: text }))
        .execute()
    },
  }
}
