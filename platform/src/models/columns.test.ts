import { DuckDBInstance } from '@duckdb/node-api'
import { describe, expect, it } from 'vitest'
import { appendColumns } from './append-columns.ts'
import { readNumericColumns } from './numeric-columns.ts'

async function connected() {
  const instance = await DuckDBInstance.create(':memory:')
  return instance.connect()
}

describe('columns in and out of DuckDB', () => {
  it('come back as they went in, over several chunks, NaN included', async () => {
    const connection = await connected()
    const count = 5_000
    const numbers = Float64Array.from({ length: count }, (_, i) =>
      i % 97 === 0 ? Number.NaN : i / 3,
    )
    const texts = Array.from({ length: count }, (_, i) => (i % 5 === 0 ? null : `text ${i} ü`))
    await connection.run('CREATE TABLE t (x DOUBLE, y DOUBLE, s VARCHAR)')
    await appendColumns(connection, 't', [
      { kind: 'doubles', values: numbers },
      { kind: 'doubles', values: numbers.map((value) => -value) },
      { kind: 'values', values: texts },
    ])
    const read = await readNumericColumns(connection, 'SELECT x, y, s FROM t', {
      numberCount: 2,
      textCount: 1,
      expectedRows: 10,
    })
    expect(read.rowCount).toBe(count)
    expect(read.values).toEqual(
      Float64Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? 1 : -1) * numbers[i >> 1]!),
    )
    expect(read.texts[0]).toEqual(texts)
  })

  it('name a column that is not DOUBLE instead of misreading its bytes', async () => {
    const connection = await connected()
    const request = readNumericColumns(connection, 'SELECT 1::INTEGER', {
      numberCount: 1,
      textCount: 0,
      expectedRows: 1,
    })
    await expect(request).rejects.toThrow(/cast it to DOUBLE/)
  })

  it('append nothing for no rows', async () => {
    const connection = await connected()
    await connection.run('CREATE TABLE t (x DOUBLE)')
    await appendColumns(connection, 't', [{ kind: 'doubles', values: new Float64Array(0) }])
    const read = await readNumericColumns(connection, 'SELECT x FROM t', {
      numberCount: 1,
      textCount: 0,
      expectedRows: 0,
    })
    expect(read.rowCount).toBe(0)
  })
})
