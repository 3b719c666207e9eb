import { mkdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DeltaError } from '../errors.ts'
import { foreignTable } from '../foreign-table.testing.ts'
import { commitPath, logFolder } from '../log/log-names.ts'
import { schemaString } from '../schema/schema.ts'
import { schemaOf, scratchConnection } from '../scratch.testing.ts'
import { rows } from './rows.ts'

const schema = schemaOf({ id: 'long', p: 'integer' })

type Foreign = Awaited<ReturnType<typeof foreignTable>>

/** A table of three commits, with a file each. */
async function soundTable() {
  const connection = await scratchConnection()
  const foreign = await foreignTable(connection, { schema, partitionColumns: ['p'] })
  for (const name of ['a', 'b', 'c']) {
    const file = await foreign.write(`${name}.parquet`, 'SELECT 1::BIGINT AS id')
    foreign.commit([{ add: { ...file, partitionValues: { p: '1' } } }])
  }
  return foreign
}

const overwrite = (foreign: Foreign, path: string, text: string) => {
  const file = join(foreign.root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

/** Opens and reads the whole table; the error that comes, which must be one of this package. */
async function errorOf(foreign: Foreign): Promise<DeltaError> {
  try {
    const table = await foreign.open()
    for await (const { rowCount } of rows(table)) expect(rowCount).toBeGreaterThan(0)
  } catch (cause) {
    if (cause instanceof DeltaError) return cause
    throw cause
  }
  throw new Error('the table was read without an error')
}

const add = (change: object) =>
  JSON.stringify({
    add: {
      path: 'c.parquet',
      partitionValues: { p: '1' },
      size: 1,
      modificationTime: 1,
      ...change,
    },
  })
const metaData = (foreign: Foreign, change: object) =>
  JSON.stringify({ metaData: { ...foreign.metaDataOf(schema), ...change } })
const last = commitPath(2)

const faults: readonly (readonly [string, string, RegExp, (foreign: Foreign) => void])[] = [
  ['a torn line', 'LOG_CORRUPT', /2\.json, line 1: torn/, (t) => overwrite(t, last, '{"add":{"pa')],
  ['a line that is no JSON', 'LOG_CORRUPT', /torn or damaged/, (t) => overwrite(t, last, 'hello')],
  ['a line that is no action', 'LOG_CORRUPT', /not an action/, (t) => overwrite(t, last, '[1]')],
  [
    'an action without path',
    'LOG_CORRUPT',
    /without path/,
    (t) => overwrite(t, last, '{"add":{}}'),
  ],
  [
    'two protocols in a commit',
    'LOG_CORRUPT',
    /second protocol/,
    (t) => {
      const line = '{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}'
      overwrite(t, last, `${line}\n${line}`)
    },
  ],
  [
    'a gap in versions',
    'LOG_CORRUPT',
    /version 1: commit is missing, found next is version 2/,
    (t) => unlinkSync(join(t.root, commitPath(1))),
  ],
  [
    'a version beyond all counting',
    'LOG_CORRUPT',
    /commit is missing/,
    (t) => overwrite(t, `${logFolder}99999999999999999999.json`, ''),
  ],
  [
    'a log that starts late',
    'LOG_CORRUPT',
    /commits before it are gone/,
    (t) => unlinkSync(join(t.root, commitPath(0))),
  ],
  [
    'a path out of the table',
    'PATH_OUTSIDE_TABLE',
    /leaves the folder/,
    (t) => overwrite(t, last, add({ path: 'x/../../secret.parquet' })),
  ],
  [
    'a data file that is not there',
    'DATA_FILE_MISSING',
    /version 2, file b\.parquet/,
    (t) => renameSync(join(t.root, 'b.parquet'), join(t.root, 'z.parquet')),
  ],
  [
    'a partition value of another type',
    'INVALID_PARTITION_VALUE',
    /file c\.parquet, column p/,
    (t) => overwrite(t, last, add({ partitionValues: { p: 'x' } })),
  ],
  [
    'a schema that is no JSON',
    'INVALID_SCHEMA',
    /does not parse/,
    (t) => overwrite(t, last, metaData(t, { schemaString: '{"type":' })),
  ],
  [
    'a schema nested without end',
    'INVALID_SCHEMA',
    /schemaString/,
    (t) => {
      const nested = `${'{"type":"array","elementType":'.repeat(9000)}"long"${'}'.repeat(9000)}`
      const field = `{"name":"x","type":${nested},"nullable":true,"metadata":{}}`
      overwrite(t, last, metaData(t, { schemaString: `{"type":"struct","fields":[${field}]}` }))
    },
  ],
  [
    'a type from the future',
    'INVALID_SCHEMA',
    /variant/,
    (t) => {
      const text = schemaString(schema).replace('"long"', '"variant"')
      overwrite(t, last, metaData(t, { schemaString: text }))
    },
  ],
  [
    'two columns of one name',
    'INVALID_SCHEMA',
    /ignoring case/,
    (t) => {
      const text = schemaString(schemaOf({ id: 'long', ID: 'long', p: 'integer' }))
      overwrite(t, last, metaData(t, { schemaString: text }))
    },
  ],
  [
    'a reader feature from the future',
    'UNSUPPORTED_FEATURE',
    /reading needs variantShredding/,
    (t) => {
      const lists = { readerFeatures: ['variantShredding'], writerFeatures: ['variantShredding'] }
      const protocol = { minReaderVersion: 3, minWriterVersion: 7, ...lists }
      overwrite(t, last, JSON.stringify({ protocol }))
    },
  ],
  [
    'no log at all',
    'TABLE_NOT_FOUND',
    /no Delta table here/,
    (t) => renameSync(join(t.root, '_delta_log'), join(t.root, 'log')),
  ],
]

describe('a table with', () => {
  test.each(faults)('%s is refused with %s, and told how', async (_name, code, message, break_) => {
    const foreign = await soundTable()
    break_(foreign)
    const error = await errorOf(foreign)
    expect(error.code, error.message).toBe(code)
    expect(error.message).toMatch(message)
    expect(error.message).toContain(foreign.root)
    expect(error.facts.fix).not.toBe('')
  })

  test('CRLF, blank lines, unknown actions and keys, an empty commit and foreign files is read', async () => {
    const foreign = await soundTable()
    const odd = ['', '{"futureAction":{"x":1}}', add({ path: 'b.parquet', later: [1] }), '  ', '']
    overwrite(foreign, commitPath(3), odd.join('\r\n'))
    overwrite(foreign, commitPath(4), '')
    overwrite(foreign, `${logFolder}.00000000000000000000.json.crc`, 'x')
    overwrite(foreign, `${logFolder}00000000000000000001.00000000000000000002.compacted.json`, 'x')
    overwrite(foreign, `${logFolder}_staged_commits/00000000000000000005.uuid.json`, 'x')
    overwrite(foreign, `${logFolder}notes.txt`, 'x')
    const table = await foreign.open()
    expect(await table.snapshot()).toMatchObject({ version: 4 })
    let rowCount = 0
    for await (const batch of rows(table)) rowCount += batch.rowCount
    expect(rowCount).toBe(3)
  })
})
