import { describe, expect, it } from 'vitest'
import {
  exampleFleet,
  fleetContracts,
  optional,
  required,
  type TableContract,
} from '../contracts/index.ts'
import { contractFaults } from './contract-faults.ts'

const sound: TableContract = {
  name: 'meters',
  id: 'M1',
  version: '1.0.0',
  purpose: 'Meter readings',
  columns: [
    required('meter_id', 'string', 'Meter'),
    required('read_at', 'timestamp', 'When'),
    optional('energy_kwh', 'double', 'Energy', { unit: 'kWh', range: [0, 100] }),
  ],
  key: ['meter_id', 'read_at'],
  partitionColumns: [],
  sortColumns: ['read_at'],
  service: { freshnessMinutes: 5, freshnessColumn: 'read_at', retentionDays: 90 },
}

const withColumn = (column: TableContract['columns'][number]): Partial<TableContract> => ({
  columns: [...sound.columns, column],
})

describe('a contract', () => {
  it.each(fleetContracts(exampleFleet).map((contract) => [contract.name, contract] as const))(
    '%s of the product contradicts itself nowhere',
    (_name, contract) => expect(contractFaults(contract)).toEqual([]),
  )

  it('of each of the seven numbers has an owner, a service level and its semantics', () => {
    const contracts = fleetContracts(exampleFleet)
    for (const id of ['C1', 'C2', 'C3', 'C3.5', 'C4', 'C5', 'C6', 'C7']) {
      const contract = contracts.find((one) => one.id === id)
      expect(contract, id).toMatchObject({ owner: expect.any(String), service: expect.anything() })
      expect(contract?.semantics?.length ?? 0, id).toBeGreaterThan(0)
    }
  })

  const broken: readonly (readonly [string, Partial<TableContract>, RegExp])[] = [
    [
      'a range without values',
      withColumn(optional('a', 'double', 'A', { range: [5, 1] })),
      /no value/,
    ],
    [
      'no whole number in range',
      withColumn(optional('a', 'integer', 'A', { range: [0.2, 0.8] })),
      /no integer/,
    ],
    [
      'an integer beyond 32 bits',
      withColumn(optional('a', 'integer', 'A', { range: [0, 1e12] })),
      /32 bits/,
    ],
    [
      'an endless range',
      withColumn(optional('a', 'double', 'A', { range: [0, Infinity] })),
      /not finite/,
    ],
    [
      'a range of text',
      withColumn(optional('a', 'string', 'A', { range: [0, 1] })),
      /numeric range/,
    ],
    [
      'a unit of text',
      withColumn(optional('a', 'string', 'A', { unit: 'kPa' })),
      /has the unit kPa/,
    ],
    [
      'values of a number',
      withColumn(optional('a', 'double', 'A', { values: ['x'] })),
      /text values/,
    ],
    ['no allowed value', withColumn(optional('a', 'string', 'A', { values: [] })), /empty/],
    [
      'nulls where none may be',
      withColumn(required('a', 'double', 'A', { maxNullFraction: 0.1 })),
      /never null/,
    ],
    [
      'more nulls than rows',
      withColumn(optional('a', 'double', 'A', { maxNullFraction: 2 })),
      /outside 0 to 1/,
    ],
    ['a column twice', withColumn(optional('meter_id', 'string', 'A')), /defined twice/],
    [
      'a retired column that stays filled',
      withColumn(required('a', 'double', 'A', { deprecatedOn: '2026-01-01' })),
      /goes null/,
    ],
    [
      'an unknown successor',
      withColumn(optional('a', 'double', 'A', { deprecatedOn: '2026-01-01', replacedBy: 'b' })),
      /no other column/,
    ],
    [
      'a successor without retirement',
      withColumn(optional('a', 'double', 'A', { replacedBy: 'meter_id' })),
      /not deprecated/,
    ],
    ['an unknown key', { key: ['serial'] }, /key column serial/],
    ['a key of a measurement', { key: ['energy_kwh'] }, /energy_kwh is double/],
    ['no key', { key: [] }, /no key/],
    ['an unknown partition', { partitionColumns: ['day'] }, /partition column day/],
    [
      'freshness of a number',
      { service: { freshnessMinutes: 5, freshnessColumn: 'energy_kwh' } },
      /no timestamp/,
    ],
    ['freshness of nothing', { service: { freshnessMinutes: 5 } }, /no column says/],
    [
      'rows gone before they come',
      { service: { freshnessMinutes: 3000, freshnessColumn: 'read_at', retentionDays: 1 } },
      /kept 1 days/,
    ],
    [
      'a pause below the beat',
      { service: { freshnessColumn: 'read_at', cadenceSeconds: 60, maxGapSeconds: 30 } },
      /longest/,
    ],
    ['a version in words', { version: 'two' }, /of the form 1.0.0/],
    ['no purpose', { purpose: ' ' }, /no purpose/],
  ]
  it.each(broken)('with %s is refused with the reason, and no other', (_name, change, reason) => {
    expect(contractFaults(sound)).toEqual([])
    const faults = contractFaults({ ...sound, ...change })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(reason)
  })
})
