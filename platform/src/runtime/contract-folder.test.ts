import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import {
  exampleFleet,
  fleetContracts,
  optional,
  required,
  type TableContract,
} from '../contracts/index.ts'
import { importContract, importedContracts } from './contract-folder.ts'

const meters: TableContract = {
  name: 'meters',
  id: 'M1',
  version: '1.0.0',
  purpose: 'Meter readings',
  owner: 'operations',
  columns: [
    required('meter_id', 'string', 'Meter'),
    required('read_at', 'timestamp', 'When'),
    optional('energy', 'double', 'Energy', { unit: 'kWh' }),
  ],
  key: ['meter_id', 'read_at'],
  partitionColumns: [],
  sortColumns: [],
}

function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'isotherm-contracts-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

const onDate = '2026-11-21'

it('an imported contract is there again as it was, and a newer version takes its place', () => {
  const directory = folder()
  expect(importContract(directory, exampleFleet, meters, onDate).verdict).toBeUndefined()
  expect(importedContracts(directory)).toEqual([meters])
  const wider = {
    ...meters,
    version: '1.1.0',
    columns: [...meters.columns, optional('power', 'double', 'Power', { unit: 'kW' })],
  }
  expect(importContract(directory, exampleFleet, wider, onDate).verdict?.changes).toHaveLength(1)
  expect(importedContracts(directory)).toEqual([wider])
})

it('a breaking change is refused and the version before stays', () => {
  const directory = folder()
  importContract(directory, exampleFleet, meters, onDate)
  const retyped = {
    ...meters,
    version: '2.0.0',
    columns: meters.columns.map((one) =>
      one.name === 'energy' ? { ...one, type: 'string' as const, unit: 'kWh' } : one,
    ),
  }
  const { unit: _unit, ...energy } = retyped.columns[2]!
  const text = { ...retyped, columns: [...retyped.columns.slice(0, 2), energy] }
  expect(() => importContract(directory, exampleFleet, text, onDate)).toThrow(/never retyped/)
  expect(importedContracts(directory)).toEqual([meters])
})

it('a contract of a table of the product may be brought in only as it is', () => {
  const directory = folder()
  const own = fleetContracts(exampleFleet).find(({ name }) => name === 'label_events')!
  importContract(directory, exampleFleet, own, onDate)
  expect(importedContracts(directory)).toEqual([])
  const other = {
    ...own,
    version: '1.1.0',
    columns: [...own.columns, optional('x', 'string', 'X')],
  }
  expect(() => importContract(directory, exampleFleet, other, onDate)).toThrow(/with the release/)
})
