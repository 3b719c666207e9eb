import {
  appendFile,
  readdir,
  readFile,
  rename,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createTable } from '../open-table.ts'
import { schemaOf, scratchFolder } from '../scratch.testing.ts'
import { folderStore } from '../store/folder-store.ts'
import { append } from '../write/append.ts'
import { deleteWhere } from '../write/delete-where.ts'
import { checkTable } from './check-table.ts'

/** A table with appends, a delete, checkpoints and checksums. */
async function wholeTable() {
  const store = folderStore(await scratchFolder())
  const schema = schemaOf({ id: 'long', name: 'string' })
  const configuration = { 'delta.checkpointInterval': '3' }
  const table = await createTable(store, { name: 't', schema, configuration })
  for (let i = 0; i < 6; i++) {
    await append(table, { rows: [{ id: i, name: `name ${i}` }, { id: i + 100 }] })
  }
  await deleteWhere(table, { column: 'id', is: '=', value: 2 })
  await table.settled()
  const log = (name: string) => join(store.location, '_delta_log', name)
  const { files } = await table.snapshot()
  const data = files.map(({ path }) => join(store.location, path))
  return { store, table, log, data }
}

const digits = (version: number) => String(version).padStart(20, '0')

async function codesOf(store: Parameters<typeof checkTable>[0]): Promise<readonly string[]> {
  const { problems } = await checkTable(store)
  return problems.map(({ severity, code }) => `${severity} ${code}`)
}

describe('a check', () => {
  test('finds nothing in a whole table and says what it looked at', async () => {
    const { store } = await wholeTable()
    const report = await checkTable(store)
    expect(report.problems).toEqual([])
    expect(report.version).toBe(7)
    expect(report.counts).toMatchObject({ commits: 8, checkpoints: 2, files: 6 })
    expect(report.counts.checksums).toBeGreaterThan(0)
  })

  test('finds nothing behind a cleaned log, where the oldest checkpoint is the start', async () => {
    const { store, log } = await wholeTable()
    for (const version of [0, 1, 2]) await unlink(log(`${digits(version)}.json`))
    expect(await codesOf(store)).toEqual([])
  })

  test('names a missing commit, and goes on from the next checkpoint', async () => {
    const { store, log, data } = await wholeTable()
    await unlink(log(`${digits(4)}.json`))
    await unlink(data[0] ?? '')
    expect(await codesOf(store)).toEqual(['error LOG_GAP', 'error FILE_MISSING'])
  })

  test('names a torn commit', async () => {
    const { store, log } = await wholeTable()
    const path = log(`${digits(5)}.json`)
    await truncate(path, (await readFile(path)).length - 20)
    expect(await codesOf(store)).toEqual(['error COMMIT_UNREADABLE'])
  })

  test('names a commit that adds a file twice', async () => {
    const { store, log } = await wholeTable()
    const path = log(`${digits(7)}.json`)
    const lines = (await readFile(path, 'utf8')).trim().split('\n')
    const add = lines.find((line) => line.startsWith('{"add"')) ?? ''
    await appendFile(path, `${add}\n`)
    expect(await codesOf(store)).toEqual(['error COMMIT_CONTRADICTS'])
  })

  test('names a checkpoint that says something else than the commits', async () => {
    const { store, log } = await wholeTable()
    await rename(log(`${digits(3)}.checkpoint.parquet`), log(`${digits(6)}.checkpoint.parquet`))
    expect(await codesOf(store)).toContain('error CHECKPOINT_DIFFERS')
  })

  test('names a damaged checkpoint', async () => {
    const { store, log } = await wholeTable()
    await truncate(log(`${digits(3)}.checkpoint.parquet`), 100)
    expect(await codesOf(store)).toEqual(['error CHECKPOINT_UNREADABLE'])
  })

  test('names a hint that points nowhere, and warns of a missing one', async () => {
    const { store, log } = await wholeTable()
    await writeFile(log('_last_checkpoint'), '{"version":5,"size":3}')
    expect(await codesOf(store)).toEqual(['error HINT_WRONG'])
    await unlink(log('_last_checkpoint'))
    expect(await codesOf(store)).toEqual(['warning HINT_WRONG'])
  })

  test('names a checksum that lies and one that is no JSON', async () => {
    const { store, log } = await wholeTable()
    const names = (await readdir(log(''))).filter((name) => name.endsWith('.crc')).toSorted()
    const path = log(names.at(-1) ?? '')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace(/"numFiles":\d+/, '"numFiles":77'))
    expect(await codesOf(store)).toEqual(['error CHECKSUM_DIFFERS'])
    await writeFile(path, text.slice(0, 30))
    expect(await codesOf(store)).toEqual(['error CHECKSUM_UNREADABLE'])
  })

  test('names every data file that is missing, cut, replaced or swapped', async () => {
    const { store, data } = await wholeTable()
    const [missing = '', cut = '', replaced = ''] = data
    await unlink(missing)
    await truncate(cut, 50)
    await writeFile(replaced, 'x'.repeat((await readFile(replaced)).length))
    const codes = await codesOf(store)
    expect(codes.toSorted()).toEqual([
      'error FILE_MISSING',
      'error FILE_SIZE_DIFFERS',
      'error FILE_UNREADABLE',
    ])
  })

  test('names a file with another number of rows than its statistics say', async () => {
    const { store, log } = await wholeTable()
    const path = log(`${digits(5)}.json`)
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('numRecords\\":2', 'numRecords\\":3'))
    const { problems } = await checkTable(store, { at: { version: 5 } })
    expect(problems.map(({ code, expected, found }) => [code, expected, found])).toEqual([
      ['ROW_COUNT_DIFFERS', '3 rows', '2 rows'],
    ])
  })

  test('names statistics that the rows deny, by column', async () => {
    const { store, log } = await wholeTable()
    const path = log(`${digits(5)}.json`)
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('maxValues\\":{\\"id\\":104', 'maxValues\\":{\\"id\\":90'))
    const at = { version: 5 }
    const { problems, counts } = await checkTable(store, { at })
    expect(problems.map(({ code, where, found }) => [code, where.slice(-9), found])).toEqual([
      ['STATISTICS_LIE', 'column id', '104'],
    ])
    expect(counts.statistics).toBe(5)
    expect((await checkTable(store, { at, depth: 'files' })).problems).toEqual([])
  })

  test('is refused where there is no table', async () => {
    const store = folderStore(await scratchFolder())
    await expect(checkTable(store)).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
  })
})
