import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contractFaults } from './contract-faults.ts'
import { odcsYaml } from './odcs-export.ts'
import { readOdcs } from './odcs-import.ts'
import { checkRows } from './row-check.ts'
import { profileRows } from './row-profile.ts'
import { snakeCase, suggestContract, unitOfName } from './suggest.ts'

let connection: DuckDBConnection
beforeAll(async () => {
  const instance = await DuckDBInstance.create(':memory:')
  connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
})
afterAll(() => connection.closeSync())

const options = { name: 'pumps', origin: 'a test' }

/** Three pumps, a row a minute for six hours; column 3 is null in every tenth row. */
const clean = `(SELECT 'P-' || (i % 3) AS pump,
    TIMESTAMP '2026-01-01' + INTERVAL 1 MINUTE * (i // 3) AS "At: Time",
    40 + 10 * sin(i / 50) AS "Pressure (kPa)",
    CASE WHEN i % 10 = 0 THEN NULL ELSE 20.0 + i % 7 END AS temp_c,
    CASE WHEN i % 2 = 0 THEN 'on' ELSE 'off' END AS state,
    (i % 2)::INTEGER AS running, i // 3 AS counted
  FROM range(1080) r(i))`

const suggested = async () =>
  suggestContract(await profileRows(connection, { relation: clean }), options)

describe('a contract suggested from clean rows', () => {
  it('has types, units, ranges with room, values, null shares, key and rhythm', async () => {
    const contract = await suggested()
    expect(contractFaults(contract)).toEqual([])
    expect(contract.key).toEqual(['pump', 'at_time'])
    expect(contract.service).toEqual({
      freshnessColumn: 'at_time',
      cadenceSeconds: 60,
      maxGapSeconds: 180,
    })
    expect(contract.columns).toMatchObject([
      { name: 'pump', type: 'string', nullable: false },
      { name: 'at_time', type: 'timestamp', nullable: false, physicalName: 'At: Time' },
      { name: 'pressure_kpa', type: 'double', unit: 'kPa', range: [20, 60] },
      { name: 'temp_c', type: 'double', unit: '°C', range: [17, 29], maxNullFraction: 0.15 },
      { name: 'state', type: 'string', values: ['off', 'on'] },
      { name: 'running', type: 'integer', range: [0, 1] },
      { name: 'counted', type: 'integer' },
    ])
  })

  it('is kept by those rows, and comes back from ODCS equal', async () => {
    const contract = await suggested()
    expect((await checkRows(connection, contract, clean)).violations).toEqual([])
    const [read] = readOdcs(odcsYaml(contract)).contracts
    expect(read).toEqual({ ...contract, owner: 'data-engineering' })
  })

  const faults: readonly (readonly [string, string, string])[] = [
    ['range', 'a spike', 'REPLACE (if(counted = 7, 900, "Pressure (kPa)") AS "Pressure (kPa)")'],
    ['range', 'another unit', 'REPLACE ("Pressure (kPa)" * 0.145 AS "Pressure (kPa)")'],
    ['unreadable', 'text', "REPLACE (if(counted = 7, 'ERR', temp_c::VARCHAR) AS temp_c)"],
    ['unreadable', 'a fraction for a whole number', 'REPLACE (running + 0.25 AS running)'],
    ['not-finite', 'NaN', "REPLACE (if(counted = 7, 'nan'::DOUBLE, temp_c) AS temp_c)"],
    ['null-fraction', 'a burst of nulls', 'REPLACE (if(counted > 200, NULL, temp_c) AS temp_c)'],
    ['null', 'a row without a name', 'REPLACE (if(counted = 7, NULL, pump) AS pump)'],
    ['values', 'an unknown state', "REPLACE (if(counted = 7, 'stuck', state) AS state)"],
    ['column-missing', 'a column gone', 'EXCLUDE (temp_c)'],
  ]
  const rowFaults: readonly (readonly [string, string, string])[] = [
    ['key', 'rows twice', 'counted >= 0 UNION ALL SELECT * FROM all_rows WHERE counted = 7'],
    ['cadence', 'every third row', 'counted % 3 = 0'],
    ['gap', 'an hour without rows', 'counted NOT BETWEEN 100 AND 160'],
  ]
  it.each([
    ...faults.map(([rule, name, edit]) => [rule, name, `SELECT * ${edit} FROM all_rows`] as const),
    ...rowFaults.map(
      ([rule, name, filter]) => [rule, name, `SELECT * FROM all_rows WHERE ${filter}`] as const,
    ),
  ])('refuses by %s: %s', async (rule, _name, select) => {
    const contract = await suggested()
    const relation = `(WITH all_rows AS (SELECT * FROM ${clean}) ${select})`
    const { isAccepted, violations } = await checkRows(connection, contract, relation)
    expect(violations.map((violation) => violation.rule)).toContain(rule)
    expect(isAccepted).toBe(false)
  })

  it('warns of a column it does not know, and refuses no rows', async () => {
    const contract = await suggested()
    const wider = await checkRows(connection, contract, `(SELECT *, 1 AS extra FROM ${clean})`)
    expect(wider).toMatchObject({ isAccepted: true, violations: [{ rule: 'column-undeclared' }] })
    const none = await checkRows(connection, contract, `(SELECT * FROM ${clean} LIMIT 0)`)
    expect(none).toMatchObject({ isAccepted: false, rowCount: 0 })
  })

  it('is kept by the rows it came from, whatever they are', async () => {
    const cell = fc.oneof(
      fc.constant('NULL'),
      fc.double({ noNaN: true, min: -1e9, max: 1e9 }).map((value) => `${value}::DOUBLE`),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(1_000_000), cell, cell), { minLength: 1, maxLength: 40 }),
        async (rows) => {
          const values = rows
            .map(([second, a, b], i) => `(${i}, epoch_ms(${second}000 + ${i}), ${a}, ${b})`)
            .join(', ')
          const relation = `(SELECT i, t::TIMESTAMP AS t, a::DOUBLE AS a, b::DOUBLE AS b FROM (VALUES ${values}) v(i, t, a, b))`
          const profile = await profileRows(connection, { relation })
          const contract = suggestContract(profile, options)
          expect(contractFaults(contract)).toEqual([])
          const { violations } = await checkRows(connection, contract, relation)
          expect(violations).toEqual([])
        },
      ),
      { numRuns: 20 },
    )
  })
})

describe('a profile', () => {
  it('is refused of no rows, of rows that nothing names, and of an unknown column', async () => {
    const of = (relation: string, key?: readonly string[]) =>
      profileRows(connection, { relation, ...(key !== undefined && { key }) })
    await expect(of(`(SELECT * FROM ${clean} LIMIT 0)`)).rejects.toThrow(/no rows/)
    await expect(of(`(SELECT 1.5 AS a FROM range(5))`)).rejects.toThrow(/names a row/)
    await expect(of(clean, ['serial'])).rejects.toThrow(/no column serial/)
    await expect(of(`(SELECT {'a': 1} AS s)`)).rejects.toThrow(/no place in a contract/)
  })
})

describe('names', () => {
  it('of headers become snake_case', () => {
    expect(['AHU: Fan Status ', '3rd', '°C', 'UDI'].map(snakeCase)).toEqual([
      'ahu_fan_status',
      'c_3rd',
      'c',
      'udi',
    ])
  })

  it('give units where they spell one', () => {
    expect(['Pressure (kPa)', 'temp_c', 'Temp (°F)', 'speed_rpm', 'value'].map(unitOfName)).toEqual(
      ['kPa', '°C', '°F', 'rpm', undefined],
    )
  })
})
