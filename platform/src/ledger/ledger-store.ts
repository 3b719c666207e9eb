import { openNodeSqlite } from '../objects/index.ts'

/** Sums of one device and hour; `recovered` is the part of `received` read from the log. */
export type Sums = {
  readonly received: number
  readonly recovered: number
  readonly stored: number
  readonly duplicate: number
  readonly rejected: number
}

/** Sums over all devices stand under this name, which no device can have. */
export const wholeFleet = '*'

export const noSums: Sums = { received: 0, recovered: 0, stored: 0, duplicate: 0, rejected: 0 }

/** `door` holds what was counted since the last audit; `entries` is as of the audit. */
const schema = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS door (
    hour INTEGER NOT NULL, device_id TEXT NOT NULL, term TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (hour, device_id, term)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS entries (
    hour INTEGER NOT NULL, device_id TEXT NOT NULL,
    received INTEGER NOT NULL, recovered INTEGER NOT NULL, stored INTEGER NOT NULL,
    duplicate INTEGER NOT NULL, rejected INTEGER NOT NULL,
    PRIMARY KEY (hour, device_id)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS rejections (
    hour INTEGER NOT NULL, device_id TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (hour, device_id, reason)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS unbalanced ON entries (hour, device_id)
    WHERE received <> stored + duplicate + rejected;
  CREATE INDEX IF NOT EXISTS notable ON entries (hour, device_id) WHERE duplicate + rejected > 0;`

const addEntry = `INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET received = received + excluded.received,
    recovered = recovered + excluded.recovered, stored = stored + excluded.stored,
    duplicate = duplicate + excluded.duplicate, rejected = rejected + excluded.rejected`
const addRejection = `INSERT INTO rejections VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET count = count + excluded.count`
const addDoor = `INSERT INTO door VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET count = count + excluded.count`

/** A row counted at the door and not audited yet. */
export type DoorRow = {
  readonly hour: number
  readonly device_id: string
  readonly term: string
  readonly count: number
}

/** The ledger's tables in a SQLite file of their own, so that its transactions may take turns. */
export class LedgerStore {
  readonly #database: ReturnType<typeof openNodeSqlite>

  constructor(path: string) {
    this.#database = openNodeSqlite(path)
    this.#database.exec(schema)
  }

  /** Runs work as one transaction; the caller sees to it that there is only one at a time. */
  async transaction(work: () => Promise<void>): Promise<void> {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      await work()
      this.#database.exec('COMMIT')
    } catch (error) {
      this.#database.exec('ROLLBACK')
      throw error
    }
  }

  all<Row>(sql: string, ...values: readonly (string | number)[]): readonly Row[] {
    return this.#database.prepare(sql).all(values) as readonly Row[]
  }

  run(sql: string, ...values: readonly (string | number)[]): void {
    this.#database.prepare(sql).run(values)
  }

  meta(name: string): number | undefined {
    return this.all<{ value: number }>('SELECT value FROM meta WHERE name = ?', name)[0]?.value
  }

  setMeta(name: string, value: number): void {
    this.run('INSERT OR REPLACE INTO meta VALUES (?, ?)', name, value)
  }

  addDoor({ hour, device_id, term, count }: DoorRow): void {
    this.run(addDoor, hour, device_id, term, count)
  }

  addEntry(hour: number, deviceId: string, add: Partial<Sums>): void {
    const { received, recovered, stored, duplicate, rejected } = { ...noSums, ...add }
    this.run(addEntry, hour, deviceId, received, recovered, stored, duplicate, rejected)
  }

  addRejection(hour: number, deviceId: string, reason: string, count: number): void {
    this.run(addRejection, hour, deviceId, reason, count)
  }

  close(): void {
    this.#database.close()
  }
}
