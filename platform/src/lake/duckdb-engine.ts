import { mkdir, rm } from 'node:fs/promises'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { IsothermError } from '../contracts/index.ts'

/** UUIDv5 in SQL with the project's namespace, ING-10: the same id from JavaScript and from SQL. */
const uuidV5Macro = `
  CREATE OR REPLACE MACRO hex_to_uuid_v5(h) AS
    substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-5' || substr(h, 14, 3) || '-' ||
    substr('89ab89ab89ab89ab', strpos('0123456789abcdef', substr(h, 17, 1)), 1) ||
    substr(h, 18, 3) || '-' || substr(h, 21, 12);
  CREATE OR REPLACE MACRO uuid_v5(name) AS
    hex_to_uuid_v5(sha1(from_hex('3213df8c92185ea59c5ccda929adf038') || encode(name)));
`

/** A DuckDB instance with a bounded number of connections in use. */
export type DuckDbEngine = {
  readonly withConnection: <T>(work: (connection: DuckDBConnection) => Promise<T>) => Promise<T>
  readonly close: () => void
}

/** How an engine is set up. */
export type EngineOptions = {
  /** Folder for spilled data; emptied at start. */
  readonly temporaryDirectory: string
  /** Worker threads of DuckDB; default: all cores. */
  readonly threadCount?: number
  /** Bytes DuckDB may hold before it spills; default 4 GiB. */
  readonly memoryBytes?: number
  /** Connections in use at once; more callers wait. Default 4. */
  readonly connectionCount?: number
}

function sqlText(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

async function configured(options: EngineOptions): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const memoryMib = Math.floor((options.memoryBytes ?? 4 * 2 ** 30) / 2 ** 20)
    await connection.run(`SET memory_limit = '${memoryMib}MiB'`)
    await connection.run(`SET temp_directory = ${sqlText(options.temporaryDirectory)}`)
    await connection.run('SET autoinstall_known_extensions = false')
    if (options.threadCount !== undefined) {
      await connection.run(`SET threads = ${options.threadCount}`)
    }
    await connection.run(uuidV5Macro)
  } finally {
    connection.closeSync()
  }
  return instance
}

/** Opens an engine. Each piece of work gets a connection of its own with `TimeZone` UTC. */
export async function openEngine(options: EngineOptions): Promise<DuckDbEngine> {
  await rm(options.temporaryDirectory, { recursive: true, force: true })
  await mkdir(options.temporaryDirectory, { recursive: true })
  const instance = await configured(options)
  const waiting: (() => void)[] = []
  let free = options.connectionCount ?? 4
  let isClosed = false

  const acquire = async (): Promise<void> => {
    if (free > 0) {
      free -= 1
      return
    }
    await new Promise<void>((resolve) => waiting.push(resolve))
  }
  const release = (): void => {
    const next = waiting.shift()
    if (next === undefined) free += 1
    else next()
  }

  return {
    withConnection: async (work) => {
      if (isClosed) throw new IsothermError('CONFLICT', 'the lake is closed; open it again')
      await acquire()
      try {
        const connection = await instance.connect()
        try {
          await connection.run("SET TimeZone = 'UTC'")
          return await work(connection)
        } finally {
          connection.closeSync()
        }
      } finally {
        release()
      }
    },
    close: () => {
      isClosed = true
      instance.closeSync()
    },
  }
}
