import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { relationSql } from '../data/relation.ts'
import { foreignTable, mappedField, structOf } from '../foreign-table.testing.ts'
import { rowsOf, schemaOf, scratchConnection } from '../scratch.testing.ts'
import type { ContainerChoice } from './bitmap-writer.testing.ts'
import { vectorFile, vectorPayload } from './bitmap-writer.testing.ts'

const uuidInZ85 = '^-aqEH.-t@S}K{vb[*k^'
const vectorName = 'deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin'

const orderedRows = async (
  connection: Awaited<ReturnType<typeof scratchConnection>>,
  relation: string,
) => await rowsOf(connection, `SELECT * FROM ${relation} ORDER BY ALL NULLS LAST`)

describe('deleted rows', () => {
  /** Files of 3,000 rows in small row groups, some with deleted rows, over one or two partitions. */
  async function tableWithDeletions(
    deletions: readonly (readonly number[] | undefined)[],
    choice: ContainerChoice,
    isPartitioned: boolean,
  ) {
    const connection = await scratchConnection()
    const schema = schemaOf({ id: 'long', part: 'integer' })
    const partitionColumns = isPartitioned ? ['part'] : []
    const shape = { schema, partitionColumns, readerFeatures: ['deletionVectors'] }
    const table = await foreignTable(connection, shape)
    const payloads = deletions.map((rows) => vectorPayload(rows ?? [], choice))
    const { bytes, offsets } = vectorFile(payloads)
    writeFileSync(join(table.root, vectorName), bytes)
    const adds = []
    for (const [index, rows] of deletions.entries()) {
      const part = isPartitioned ? '' : `, ${index % 2}::INTEGER AS part`
      const query = `SELECT (${index} * 10000 + i)::BIGINT AS id${part} FROM range(3000) t(i)`
      const file = await table.write(`${index}.parquet`, query, ', ROW_GROUP_SIZE 512')
      const deletionVector = {
        storageType: 'u',
        pathOrInlineDv: uuidInZ85,
        offset: offsets[index],
        sizeInBytes: payloads[index]?.length,
        cardinality: rows?.length,
      }
      adds.push({
        add: {
          ...file,
          ...(isPartitioned ? { partitionValues: { part: String(index % 2) } } : {}),
          stats: '{"numRecords":3000}',
          ...(rows === undefined ? {} : { deletionVector }),
        },
      })
    }
    table.commit(adds)
    return { connection, table: await table.open() }
  }

  const expectedIds = (deletions: readonly (readonly number[] | undefined)[]) =>
    deletions.flatMap((rows, index) => {
      const gone = new Set(rows)
      return Array.from({ length: 3000 }, (_, i) => i)
        .filter((i) => !gone.has(i))
        .map((i) => [String(index * 10_000 + i), index % 2])
    })

  const rowNumbers = fc
    .uniqueArray(fc.nat(2999), { maxLength: 400 })
    .map((rows) => rows.sort((a, b) => a - b))

  test('are left out of every file, whole or in part, in any partition', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(rowNumbers, { nil: undefined }), { minLength: 1, maxLength: 4 }),
        fc.constantFrom<ContainerChoice>('array-or-bits', 'runs', 'smallest'),
        fc.boolean(),
        async (deletions, choice, isPartitioned) => {
          const { connection, table } = await tableWithDeletions(deletions, choice, isPartitioned)
          const relation = relationSql(table, await table.snapshot())
          expect(await orderedRows(connection, relation)).toEqual(expectedIds(deletions))
        },
      ),
      { numRuns: 12 },
    )
  })

  test('of hundreds of files are left out in one scan, and the file of a row is known', async () => {
    const deletions = Array.from({ length: 300 }, (_, i) => (i % 7 === 0 ? [i, 2999] : [i]))
    const { connection, table } = await tableWithDeletions(deletions, 'runs', true)
    const relation = relationSql(table, await table.snapshot(), { fileColumn: 'from_file' })
    const sql = `SELECT count(*), sum(id), count(*) FILTER (id // 10000 <> from_file),
      count(*) FILTER (part <> from_file % 2) FROM ${relation}`
    const ids = expectedIds(deletions).map(([id]) => Number(id))
    const sum = ids.reduce((total, id) => total + id, 0)
    expect(await rowsOf(connection, sql)).toEqual([[String(ids.length), String(sum), '0', '0']])
  })

  test('few and far apart, and a filter on top, give the same', async () => {
    const connection = await scratchConnection()
    const shape = { schema: schemaOf({ id: 'long' }), readerFeatures: ['deletionVectors'] }
    const foreign = await foreignTable(connection, shape)
    const file = await foreign.write('a.parquet', 'SELECT i AS id FROM range(400000) t(i)')
    const payload = vectorPayload([3, 399_990], 'smallest')
    const { bytes } = vectorFile([payload])
    writeFileSync(join(foreign.root, vectorName), bytes)
    const deletionVector = {
      storageType: 'p',
      pathOrInlineDv: join(foreign.root, vectorName),
      offset: 1,
      sizeInBytes: payload.length,
      cardinality: 2,
    }
    foreign.commit([{ add: { ...file, deletionVector } }])
    const table = await foreign.open()
    const relation = relationSql(table, await table.snapshot())
    const sql = `SELECT count(*), min(id), max(id) FROM ${relation} WHERE id BETWEEN 3 AND 399990`
    expect(await rowsOf(connection, sql)).toEqual([['399986', '4', '399989']])
  })
})

describe('mapped columns', () => {
  const nested = structOf(mappedField('x y', 'long', 11), mappedField('z', 'string', 12))
  const schema = structOf(
    mappedField('id', 'long', 1),
    mappedField('place', nested, 2),
    mappedField('list', { type: 'array', elementType: nested, containsNull: true }, 3),
    mappedField(
      'by key',
      { type: 'map', keyType: 'string', valueType: nested, valueContainsNull: true },
      4,
    ),
    mappedField('later', 'double', 5),
    mappedField('part', 'string', 6),
  )
  const inner = (x: string, z: string) => `{"col-11": ${x}::BIGINT, "col-12": ${z}::VARCHAR}`
  const query = `SELECT 7::BIGINT AS "col-1", ${inner('1', "'a'")} AS "col-2",
      [${inner('2', 'NULL')}, NULL] AS "col-3", MAP {'k': ${inner('3', "'c'")}} AS "col-4"
    UNION ALL SELECT NULL, NULL, NULL, NULL`
  const expected = [
    [
      '7',
      { 'x y': '1', z: 'a' },
      [{ 'x y': '2', z: null }, null],
      [{ key: 'k', value: { 'x y': '3', z: 'c' } }],
      null,
      'p 1',
    ],
    [null, null, null, null, null, 'p 1'],
  ]

  test.each(['name', 'id'])('are found by %s, nested ones too', async (mode) => {
    const connection = await scratchConnection()
    const foreign = await foreignTable(connection, {
      schema,
      partitionColumns: ['part'],
      configuration: { 'delta.columnMapping.mode': mode },
      protocol: { minReaderVersion: 2, minWriterVersion: 5 },
    })
    const ids = ', FIELD_IDS {"col-1": 1, "col-2": 2, "col-3": 3, "col-4": 4}'
    const file = await foreign.write('a.parquet', query, mode === 'id' ? ids : '')
    foreign.commit([{ add: { ...file, partitionValues: { 'col-6': 'p 1' } } }])
    const table = await foreign.open()
    const snapshot = await table.snapshot()
    expect(await orderedRows(connection, relationSql(table, snapshot))).toEqual(expected)
    const some = relationSql(table, snapshot, { columns: ['part', 'id'], fileColumn: 'f' })
    expect(await orderedRows(connection, some)).toEqual([
      ['p 1', '7', '0'],
      ['p 1', null, '0'],
    ])
  })

  test('by id are found under whatever name the file has', async () => {
    const connection = await scratchConnection()
    const foreign = await foreignTable(connection, {
      schema: structOf(mappedField('id', 'long', 1), mappedField('name', 'string', 2)),
      configuration: { 'delta.columnMapping.mode': 'id' },
      readerFeatures: ['columnMapping'],
    })
    const swapped = `SELECT 'n' AS id, 5::BIGINT AS name`
    const file = await foreign.write('a.parquet', swapped, ', FIELD_IDS {id: 2, name: 1}')
    foreign.commit([{ add: file }])
    const table = await foreign.open()
    const relation = relationSql(table, await table.snapshot())
    expect(await orderedRows(connection, relation)).toEqual([['5', 'n']])
  })

  test('are not looked for where the protocol does not switch them on', async () => {
    const connection = await scratchConnection()
    const foreign = await foreignTable(connection, {
      schema: structOf(mappedField('id', 'long', 1)),
      configuration: { 'delta.columnMapping.mode': 'name' },
    })
    foreign.commit([{ add: await foreign.write('a.parquet', 'SELECT 5::BIGINT AS id') }])
    const table = await foreign.open()
    const relation = relationSql(table, await table.snapshot())
    expect(await orderedRows(connection, relation)).toEqual([['5']])
  })
})

test('types that were widened since a file was written come out wide, nested ones too', async () => {
  const connection = await scratchConnection()
  const schema = schemaOf({
    whole: 'long',
    exact: { type: 'decimal', precision: 20, scale: 4 },
    real: 'double',
    wall: 'timestamp_ntz',
    nested: schemaOf({ a: 'long', b: 'double' }),
    list: { type: 'array', elementType: 'integer', containsNull: true },
    fromWhole: { type: 'decimal', precision: 20, scale: 1 },
    wholeToReal: 'double',
  })
  const readerFeatures = ['typeWidening', 'timestampNtz']
  const foreign = await foreignTable(connection, { schema, readerFeatures })
  const query = `SELECT -7::TINYINT AS whole, 1.25::DECIMAL(5,2) AS exact, 0.1::FLOAT AS real,
    DATE '2024-02-29' AS wall, {a: 5::SMALLINT, b: 2::INTEGER} AS nested, [1::TINYINT, NULL] AS list,
    9::INTEGER AS "fromWhole", 3::SMALLINT AS "wholeToReal"`
  foreign.commit([{ add: await foreign.write('a.parquet', query) }])
  const table = await foreign.open()
  const relation = relationSql(table, await table.snapshot())
  expect(await orderedRows(connection, relation)).toEqual([
    [
      '-7',
      '1.2500',
      Math.fround(0.1),
      '2024-02-29 00:00:00',
      { a: '5', b: 2 },
      [1, null],
      '9.0',
      3,
    ],
  ])
})

test('text that a file does not mark as text is text all the same, nested too', async () => {
  const connection = await scratchConnection()
  const list = { type: 'array', elementType: 'string', containsNull: true } as const
  const schema = schemaOf({ s: 'string', l: list, o: schemaOf({ a: 'string' }) })
  const foreign = await foreignTable(connection, { schema })
  const bytes = `SELECT encode('é') AS s, [encode('ü\\x41')] AS l, {a: encode('')} AS o`
  const marked = `SELECT 'ñ' AS s, ['\\x41'] AS l, {a: 'b'} AS o`
  foreign.commit([
    { add: await foreign.write('a.parquet', bytes) },
    { add: await foreign.write('b.parquet', marked) },
  ])
  const table = await foreign.open()
  const relation = relationSql(table, await table.snapshot())
  expect(await orderedRows(connection, relation)).toEqual([
    ['é', ['ü\\x41'], { a: '' }],
    ['ñ', ['\\x41'], { a: 'b' }],
  ])
})

test('columns that are called like the engine names its own come back as they are', async () => {
  const connection = await scratchConnection()
  const schema = schemaOf({
    file_index: 'long',
    filename: 'string',
    file_row_number: 'long',
    p: 'long',
  })
  const foreign = await foreignTable(connection, { schema, partitionColumns: ['p'] })
  const adds = []
  for (let i = 0; i < 120; i++) {
    const query = `SELECT 5::BIGINT AS file_index, 'x' AS filename, 9::BIGINT AS file_row_number`
    const file = await foreign.write(`${i}.parquet`, query)
    adds.push({ add: { ...file, partitionValues: { p: String(i) } } })
  }
  foreign.commit(adds)
  const table = await foreign.open()
  const relation = relationSql(table, await table.snapshot(), { fileColumn: 'f' })
  const sql = `SELECT DISTINCT file_index, filename, file_row_number, p = f FROM ${relation}`
  expect(await rowsOf(connection, sql)).toEqual([['5', 'x', '9', true]])
})
