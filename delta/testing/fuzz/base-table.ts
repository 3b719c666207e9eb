import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { append, columns, createTable, deleteWhere, folderStore } from '../../src/index.ts'

/** A part of a table's folder that a case changes, named by its role: `commit 2`, `data 0`, `hint`. */
export type FileRole = string

/** A table for cases to damage, on disk once; every case works on a copy. */
export interface BaseTable {
  readonly folder: string
  readonly pathOf: (role: FileRole) => string
  readonly roles: readonly FileRole[]
  readonly remove: () => Promise<void>
}

const startMs = Date.UTC(2026, 10, 20)

/** Partitions, all kinds of columns, a delete, two checkpoints, checksums, commits after them. */
export async function makeBaseTable(): Promise<BaseTable> {
  const folder = await mkdtemp(join(tmpdir(), 'delta-fuzz-'))
  let count = 0
  const host = {
    nowMs: () => startMs,
    uuid: () => `00000000-0000-4000-8000-${String(count++).padStart(12, '0')}`,
  }
  const table = await createTable(
    folderStore(folder),
    {
      name: 'base',
      schema: columns({
        id: 'long',
        name: 'string',
        value: 'double',
        price: 'decimal(10,2)',
        at: 'timestamp',
        tags: { type: 'map', keyType: 'string', valueType: 'long', valueContainsNull: true },
        list: { type: 'array', elementType: 'double', containsNull: true },
        place: columns({ x: 'double', label: 'string' }),
        part: 'string',
        day: 'date',
      }),
      partitionColumns: ['part', 'day'],
      configuration: { 'delta.checkpointInterval': '2' },
    },
    { host },
  )
  for (let i = 0; i < 5; i++) {
    const rows = ['a', 'b ü/%'].map((part, n) => ({
      id: i * 10 + n,
      name: `name ${i}`,
      value: n === 0 ? i / 3 : Number.NaN,
      price: '12.50',
      at: new Date(startMs + i),
      tags: new Map([['k', i]]),
      list: [1, null],
      place: { x: i, label: 'here' },
      part,
      day: '2026-11-20',
    }))
    await append(table, { rows }, { transaction: { appId: 'fuzz', version: i } })
  }
  await deleteWhere(table, { column: 'id', is: '=', value: 20 })
  await table.settled()
  const paths = await rolesOf(folder)
  return {
    folder,
    roles: [...paths.keys()],
    pathOf: (role) => paths.get(role) ?? join('_delta_log', role),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Names of the files by role. */
async function rolesOf(folder: string): Promise<ReadonlyMap<FileRole, string>> {
  const all = (await readdir(folder, { recursive: true })).toSorted()
  const roles = new Map<FileRole, string>([['hint', '_delta_log/_last_checkpoint']])
  let dataCount = 0
  for (const path of all) {
    const version = Number(/_delta_log\/(\d{20})\./.exec(path)?.[1])
    if (path.endsWith('.checkpoint.parquet')) roles.set(`checkpoint ${version}`, path)
    else if (path.endsWith('.crc')) roles.set(`checksum ${version}`, path)
    else if (path.endsWith('.json')) roles.set(`commit ${version}`, path)
    else if (path.endsWith('.parquet')) roles.set(`data ${dataCount++}`, path)
  }
  return roles
}

/** One damage: files by role with their new content; null for a file that is gone. */
export interface DamageCase {
  /** What was done, for people. */
  readonly what: string
  /** Content as base64; null takes the file away. Roles that are no role are names in the log. */
  readonly files: Readonly<Record<FileRole, string | null>>
}

/** A copy of the base table with a damage. */
export async function damagedCopy(base: BaseTable, { files }: DamageCase): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'delta-fuzz-case-'))
  await cp(base.folder, folder, { recursive: true, preserveTimestamps: true })
  for (const [role, content] of Object.entries(files)) {
    const path = join(folder, base.pathOf(role))
    if (content === null) await rm(path, { force: true })
    else await writeFile(path, Buffer.from(content, 'base64'))
  }
  return folder
}

/** Bytes of a file of the base table. */
export async function bytesOf(base: BaseTable, role: FileRole): Promise<Buffer> {
  return await readFile(join(base.folder, base.pathOf(role)))
}
