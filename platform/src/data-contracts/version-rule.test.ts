import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Column,
  exampleFleet,
  fleetContracts,
  optional,
  required,
  type TableContract,
} from '../contracts/index.ts'
import { type ChangeKind, contractChanges } from './contract-changes.ts'
import { judgeVersion } from './version-rule.ts'

const before: TableContract = {
  name: 'meters',
  id: 'M1',
  version: '1.4.2',
  purpose: 'Meter readings',
  columns: [
    required('meter_id', 'string', 'Meter'),
    required('read_at', 'timestamp', 'When'),
    optional('energy', 'double', 'Energy', { unit: 'kWh', range: [0, 100], maxNullFraction: 0.1 }),
    optional('state', 'string', 'State', { values: ['on', 'off'] }),
    optional('old', 'double', 'Old', { deprecatedOn: '2026-06-01' }),
  ],
  key: ['meter_id', 'read_at'],
  partitionColumns: [],
  sortColumns: ['read_at'],
  service: { freshnessMinutes: 5, freshnessColumn: 'read_at', retentionDays: 90 },
}

const edited = (name: string, change: Partial<Column>): Partial<TableContract> => ({
  columns: before.columns.map((one) => (one.name === name ? { ...one, ...change } : one)),
})
const without = (name: string): Partial<TableContract> => ({
  columns: before.columns.filter((one) => one.name !== name),
})
const service = (change: TableContract['service']): Partial<TableContract> => ({
  service: { ...before.service, ...change },
})

const edits: readonly (readonly [ChangeKind, string, Partial<TableContract>])[] = [
  ['table-renamed', '2.0.0', { name: 'metres' }],
  ['column-removed', '2.0.0', without('energy')],
  ['type-changed', '2.0.0', edited('energy', { type: 'integer' })],
  ['unit-changed', '2.0.0', edited('energy', { unit: 'MJ' })],
  ['nullability-changed', '2.0.0', edited('meter_id', { nullable: true })],
  ['nullability-changed', '2.0.0', edited('state', { nullable: false })],
  ['range-narrowed', '2.0.0', edited('energy', { range: [0, 90] })],
  ['range-widened', '1.5.0', edited('energy', { range: [-5, 100] })],
  ['values-removed', '2.0.0', edited('state', { values: ['on', 'idle'] })],
  ['values-added', '1.5.0', edited('state', { values: ['on', 'off', 'idle'] })],
  ['null-fraction-lowered', '2.0.0', edited('energy', { maxNullFraction: 0.05 })],
  ['null-fraction-raised', '1.5.0', edited('energy', { maxNullFraction: 0.2 })],
  ['key-changed', '2.0.0', { key: ['meter_id'] }],
  ['partitions-changed', '2.0.0', { partitionColumns: ['meter_id'] }],
  ['service-weakened', '2.0.0', service({ freshnessMinutes: 60 })],
  ['service-weakened', '2.0.0', service({ retentionDays: 30 })],
  ['service-strengthened', '1.5.0', service({ freshnessMinutes: 1 })],
  ['service-strengthened', '1.5.0', service({ cadenceSeconds: 60 })],
  ['column-deprecated', '1.5.0', edited('energy', { deprecatedOn: '2026-11-01' })],
  ['personal-changed', '1.5.0', edited('meter_id', { personal: true })],
  ['description-changed', '1.4.3', edited('energy', { meaning: 'Energy used' })],
  ['description-changed', '1.4.3', { owner: 'operations' }],
  ['description-changed', '1.4.3', { columns: before.columns.toReversed() }],
  [
    'column-added',
    '1.5.0',
    { columns: [...before.columns, optional('power', 'double', 'Power', { unit: 'kW' })] },
  ],
  [
    'required-column-added',
    '2.0.0',
    { columns: [...before.columns, required('power', 'double', 'Power')] },
  ],
]

describe('two versions of a contract', () => {
  it('that are the same have no change', () => {
    for (const contract of fleetContracts(exampleFleet)) {
      expect(contractChanges(contract, structuredClone(contract))).toEqual([])
      expect(judgeVersion(contract, contract, '2026-11-21').refusals).toEqual([])
    }
  })

  it.each(edits)('%s: one change, and the version it calls for is %s', (kind, version, edit) => {
    const { changes, expectedVersion } = judgeVersion(before, { ...before, ...edit }, '2026-11-21')
    expect(changes.map((change) => change.kind)).toEqual([kind])
    expect(expectedVersion).toBe(version)
  })

  it.each(edits)('%s is refused while the version stays', (_kind, expected, edit) => {
    const { refusals } = judgeVersion(before, { ...before, ...edit }, '2026-11-21')
    expect(refusals.join('; ')).toContain(expected)
  })

  it('several edits at once give as many changes, whichever they are', () => {
    const columnEdits = edits.filter(([kind]) => /^(range|values|service|key|part)/.test(kind))
    fc.assert(
      fc.property(fc.shuffledSubarray([...columnEdits], { minLength: 2, maxLength: 2 }), (two) => {
        const touched = two.map(([kind]) => kind.split('-')[0])
        fc.pre(new Set(touched).size === 2)
        const after: TableContract = {
          ...Object.assign({ ...before }, ...two.map(([, , edit]) => edit)),
          columns: before.columns.map((one, i) => {
            const changed = two.map(([, , edit]) => edit.columns?.[i] ?? one)
            return changed.find((column) => column !== one) ?? one
          }),
        }
        const found = contractChanges(before, after).map(({ kind }) => kind)
        expect(found.toSorted()).toEqual(two.map(([kind]) => kind).toSorted())
      }),
    )
  })
})

describe('the rules of evolution', () => {
  it('let a deprecated column go after 90 days and with a new first number', () => {
    const after = { ...before, ...without('old'), version: '2.0.0' }
    expect(judgeVersion(before, after, '2026-08-30').refusals).toEqual([])
    expect(judgeVersion(before, after, '2026-08-29').refusals[0]).toMatch(/89 days ago/)
    const early = { ...before, ...without('energy'), version: '2.0.0' }
    expect(judgeVersion(before, early, '2026-11-21').refusals[0]).toMatch(/before it goes/)
  })

  it('never let a column change its type or unit, whatever the version', () => {
    const retyped = { ...before, ...edited('energy', { type: 'long' }), version: '9.0.0' }
    expect(judgeVersion(before, retyped, '2026-11-21').refusals[0]).toMatch(/never retyped/)
    const converted = { ...before, ...edited('energy', { unit: 'MJ' }), version: '9.0.0' }
    expect(judgeVersion(before, converted, '2026-11-21').refusals[0]).toMatch(/never changed/)
  })

  it('let an addition through with a new second number, and refuse a version going back', () => {
    const after = { ...before, columns: [...before.columns, optional('x', 'double', 'X')] }
    expect(judgeVersion(before, { ...after, version: '1.5.0' }, '2026-11-21').refusals).toEqual([])
    const back = { ...after, version: '1.0.0' }
    expect(judgeVersion(before, back, '2026-11-21').refusals[0]).toMatch(/older/)
    const idle = { ...before, version: '1.5.0' }
    expect(judgeVersion(before, idle, '2026-11-21').refusals[0]).toMatch(/without a change/)
  })
})
