import type { ContractDetailView, ContractListView } from 'isotherm/http'
import { expect, it } from 'vitest'
import { allowedText, contractsSentence, freshText } from './contract-rows.ts'

type Column = ContractDetailView['columns'][number]
type Contract = ContractListView['contracts'][number]

const column: Column = {
  name: 'a',
  type: 'double',
  nullable: true,
  meaning: 'A',
  unit: null,
  range: null,
  values: null,
  extension: false,
  personal: false,
  max_null_fraction: null,
  deprecated_on: null,
  replaced_by: null,
}

const contract: Contract = {
  id: 'C1',
  name: 'a',
  version: '1.0.0',
  purpose: 'A',
  owner: 'operations',
  origin: 'release',
  key: ['a'],
  column_count: 1,
  fresh_within_minutes: null,
  kept_days: null,
  state: 'ok',
  found: '',
}

it('says what a column may hold', () => {
  expect(allowedText(column)).toBe('or null')
  expect(allowedText({ ...column, nullable: false })).toBe('never null')
  expect(allowedText({ ...column, unit: 'kPa', range: [50, 800] })).toBe('50 to 800 kPa, or null')
  expect(allowedText({ ...column, unit: 'A' })).toBe('A, or null')
  expect(allowedText({ ...column, values: ['on', 'off'], nullable: false })).toBe(
    'on, off, never null',
  )
})

it('says how fresh in the words people use', () => {
  expect([null, 5, 45, 120, 1440, 10_080].map(freshText)).toEqual([
    '–',
    '5 min',
    '45 min',
    '2 h',
    '24 h',
    '7 days',
  ])
})

it('says first what is broken', () => {
  expect(contractsSentence([contract])).toBe(
    '1 of this release. Every stored table follows its contract.',
  )
  const late: Contract = { ...contract, state: 'warning' }
  const foreign: Contract = { ...contract, origin: 'import', state: 'failed' }
  expect(contractsSentence([contract, late])).toContain('1 differ from the stored table')
  expect(contractsSentence([contract, late, foreign])).toBe(
    '2 of this release, 1 imported. 1 broken.',
  )
})
