import { execFile } from 'node:child_process'
import { unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createTable, openTable } from '../open-table.ts'
import type { DeltaField } from '../schema/schema.ts'
import { schemaOf, scratchFolder } from '../scratch.testing.ts'
import { folderStore } from '../store/folder-store.ts'
import { append } from '../write/append.ts'

const program = fileURLToPath(new URL('../../bin/delta.js', import.meta.url))
const hourMs = 3_600_000
const startMs = Date.UTC(2026, 10, 20, 10)

/** Runs the real command to its end. */
function run(...words: readonly string[]) {
  return new Promise<{ readonly code: number; readonly output: string; readonly errors: string }>(
    (resolve) => {
      execFile(process.execPath, [program, ...words], (error, output, errors) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        resolve({ code, output, errors })
      })
    },
  )
}

/** The documents that a command prints with `--json`. */
async function documents(...words: readonly string[]): Promise<readonly unknown[]> {
  const { code, output, errors } = await run(...words, '--json')
  if (code !== 0) throw new Error(`ended with ${code}: ${errors}`)
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
}

/** Three appends an hour apart, two rows each, over two days. */
async function table(): Promise<string> {
  const folder = await scratchFolder()
  const schema = schemaOf({
    device: 'string',
    at: 'timestamp',
    tags: { type: 'map', keyType: 'string', valueType: 'long', valueContainsNull: true },
    day: 'date',
  })
  const created = await createTable(folderStore(folder), {
    name: 'readings',
    schema,
    partitionColumns: ['day'],
    timestampMs: startMs,
  })
  for (let i = 1; i <= 3; i++) {
    const rows = [
      { device: `d${i}`, at: 1_500_000n, tags: new Map([['k', 2n ** 60n]]), day: '2026-11-19' },
      { device: 'x', day: '2026-11-20' },
    ]
    await append(created, { rows }, { timestampMs: startMs + i * hourMs })
  }
  await created.settled()
  return folder
}

/** Adds a commit that maps columns by name and changes the schema, as another engine would. */
async function rewriteMetadata(
  folder: string,
  change: (fields: readonly DeltaField[]) => readonly DeltaField[],
): Promise<void> {
  const opened = await openTable(folderStore(folder))
  const { metadata, schema, version } = await opened.snapshot()
  const mapped = change(
    schema.fields.map((field, i) => ({
      ...field,
      metadata: {
        'delta.columnMapping.physicalName': field.name,
        'delta.columnMapping.id': i + 1,
      },
    })),
  )
  const lines = [
    { protocol: { minReaderVersion: 2, minWriterVersion: 5 } },
    {
      metaData: {
        ...metadata,
        format: { provider: 'parquet', options: {} },
        schemaString: JSON.stringify({ type: 'struct', fields: mapped }),
        partitionColumns: ['date'],
        configuration: { 'delta.columnMapping.mode': 'name' },
      },
    },
  ]
  const name = `${String(version + 1).padStart(20, '0')}.json`
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  await writeFile(join(folder, '_delta_log', name), text)
}

describe('the command line', () => {
  test('describes a table, at any version, for people and for programs', async () => {
    const folder = await table()
    const { code, output } = await run('describe', folder)
    expect(code).toBe(0)
    expect(output).toMatch(/^version +3 of 2026-11-20T13:00:00.000Z$/m)
    expect(output).toMatch(/^rows +6$/m)
    expect(output).toMatch(/^day +date +true +true$/m)
    const [older] = await documents('describe', folder, '--timestamp', '2026-11-20 11:59')
    expect(older).toMatchObject({ version: 1, rowCount: 2, fileCount: 2, name: 'readings' })
  })

  test('lists the history and the files, with conditions that skip files', async () => {
    const folder = await table()
    expect(await documents('history', folder, '--limit', '2')).toMatchObject([
      { version: 3, operation: 'WRITE' },
      { version: 2 },
    ])
    expect(await documents('files', folder)).toHaveLength(6)
    const narrowed = ['--where', 'day=2026-11-19', '--where', 'device>=d3']
    expect(await documents('files', folder, ...narrowed)).toMatchObject([
      { rowCount: 1, partitionValues: { day: '2026-11-19' } },
    ])
  })

  test('shows partition values under the names that people gave the columns', async () => {
    const folder = await table()
    // Renaming as Spark does it: the column's physical name stays what it was.
    const rename = { 'delta.columnMapping.physicalName': 'day', 'delta.columnMapping.id': 4 }
    await rewriteMetadata(folder, (fields) =>
      fields.map((field) =>
        field.name === 'day' ? { ...field, name: 'date', metadata: rename } : field,
      ),
    )
    const [first] = await documents('files', folder, '--where', 'date=2026-11-19')
    expect(first).toMatchObject({ partitionValues: { date: '2026-11-19' } })
  })

  test('prints rows with times as text and long numbers whole', async () => {
    const folder = await table()
    expect(await documents('cat', folder, '--where', 'device=d2')).toEqual([
      {
        device: 'd2',
        at: '1970-01-01T00:00:01.500000Z',
        tags: { k: String(2n ** 60n) },
        day: '2026-11-19',
      },
    ])
    const asked = ['--columns', 'day,device', '--version', '1', '--where', 'at is null']
    expect(await documents('cat', folder, ...asked)).toEqual([{ day: '2026-11-20', device: 'x' }])
    const { output } = await run('cat', folder, '--limit', '1', '--columns', 'device')
    expect(output.split('\n')).toHaveLength(4)
  })

  test('runs SQL over one table and over several', async () => {
    const folder = await table()
    const query = 'SELECT count(*)::INTEGER AS n FROM t JOIN old USING (device, day)'
    expect(await documents('sql', folder, query, '--with', `old=${folder}`)).toEqual([{ n: 12 }])
    const failed = await run('sql', folder, 'SELECT nothing FROM t', '--json')
    expect(failed.code).toBe(1)
    expect(JSON.parse(failed.errors)).toMatchObject({ error: { code: 'ERROR' } })
    const [file] = await folderStore(folder).list('day=')
    await unlink(join(folder, file?.path ?? ''))
    const broken = await run('sql', folder, 'SELECT * FROM t', '--json')
    expect(JSON.parse(broken.errors)).toMatchObject({ error: { code: 'DATA_FILE_MISSING' } })
  })

  test('packs files, then vacuums only when told to delete', async () => {
    const folder = await table()
    const packed = await run('optimize', folder, '--order-by', 'device desc', '--checkpoint')
    expect(packed.output).toBe('version 4: 6 files became 2\n')
    expect(await documents('optimize', folder)).toEqual([{ kind: 'nothing-to-do' }])
    const old = (await folderStore(folder).list('day=')).map(({ path }) => join(folder, path))
    const longAgo = new Date(startMs - 1000 * hourMs)
    for (const path of old) await utimes(path, longAgo, longAgo)
    const refused = await run('vacuum', folder, '--retention', '0h', '--delete')
    expect([refused.code, refused.errors]).toEqual([
      1,
      expect.stringMatching('RETENTION_TOO_SHORT'),
    ])
    const forced = ['vacuum', folder, '--retention', '0h', '--force']
    const [planned] = await documents(...forced)
    expect(planned).toMatchObject({ dryRun: true })
    expect(await documents('cat', folder, '--version', '3')).toHaveLength(6)
    expect(await documents(...forced, '--delete')).toMatchObject([{ dryRun: false }])
    expect(await documents('cat', folder)).toHaveLength(6)
    expect((await folderStore(folder).list('day=')).length).toBe(2)
  })

  test('checks a table, and ends with 1 when something is broken', async () => {
    const folder = await table()
    expect(await documents('check', folder)).toMatchObject([{ problems: [], version: 3 }])
    const [file] = await folderStore(folder).list('day=')
    await unlink(join(folder, file?.path ?? ''))
    const { code, output } = await run('check', folder)
    expect(code).toBe(1)
    expect(output).toMatch(/^ERROR FILE_MISSING: day=2026-11-19/m)
    expect((await run('check', folder, '--log-only')).code).toBe(0)
  })

  test('tells what went wrong by code and exits with 1, or 2 for wrong usage', async () => {
    const nowhere = await scratchFolder()
    const failed = await run('cat', nowhere, '--json')
    expect(failed.code).toBe(1)
    expect(JSON.parse(failed.errors)).toMatchObject({ error: { code: 'TABLE_NOT_FOUND' } })
    const wrong = [
      ['cat'],
      ['cat', nowhere, '--nonsense'],
      ['cat', nowhere, 'more'],
      ['cat', nowhere, '--version', 'x'],
      ['describe', nowhere, '--version', '1', '--timestamp', '2026-01-01'],
      ['vacuum', nowhere, '--version', '1'],
      ['nothing', nowhere],
      [],
    ]
    const codes = await Promise.all(wrong.map(async (words) => (await run(...words)).code))
    expect(codes).toEqual(wrong.map(() => 2))
  })

  test('helps in general and for each command', async () => {
    const general = await run('--help')
    expect([general.code, general.output]).toEqual([0, expect.stringMatching(/Usage: npx/)])
    for (const name of [
      'describe',
      'history',
      'files',
      'cat',
      'sql',
      'check',
      'optimize',
      'vacuum',
    ]) {
      expect(general.output).toContain(`  ${name}`)
    }
    expect((await run('vacuum', '--help')).output).toMatch(/--delete/)
    expect((await run('--version')).output).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
