import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2019 } from 'ajv/dist/2019.js'
import * as addFormats from 'ajv-formats'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import {
  type Column,
  exampleFleet,
  fleetContracts,
  type TableContract,
} from '../contracts/index.ts'
import { defaultOwner, odcsDocument, odcsYaml } from './odcs-export.ts'
import { readOdcs } from './odcs-import.ts'

const schema: unknown = JSON.parse(
  readFileSync(join(import.meta.dirname, 'testing', 'odcs-json-schema-v3.1.0.json'), 'utf8'),
)
const ajv = new Ajv2019({ strict: false, allErrors: true })
addFormats.default.default(ajv)
const isOfficial = ajv.compile(schema as object)

function officialFaults(document: unknown): readonly string[] {
  return isOfficial(document)
    ? []
    : (isOfficial.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,12}$/)
const sentence = fc.string({ minLength: 1, maxLength: 60 }).map((text) => `x${text}`)
const numeric = fc
  .tuple(fc.integer({ min: -1000, max: 0 }), fc.integer({ min: 1, max: 1000 }))
  .map(([low, high]) => [low / 8, high / 8] as const)

const valueColumn = fc.record(
  {
    type: fc.constantFrom('double' as const, 'long' as const, 'integer' as const),
    meaning: sentence,
    unit: fc.constantFrom('°C', 'kPa', '%', 'yes', '1.0'),
    range: numeric,
    nullable: fc.constant(true),
    maxNullFraction: fc.integer({ min: 0, max: 1000 }).map((n) => n / 1000),
    extension: fc.boolean(),
    personal: fc.boolean(),
    deprecatedOn: fc.constant('2026-10-01'),
    physicalName: fc.constant('Some: Name '),
  },
  { requiredKeys: ['type', 'meaning', 'nullable'] },
)

const contracts: fc.Arbitrary<TableContract> = fc
  .record({
    names: fc.uniqueArray(word, { minLength: 3, maxLength: 12 }),
    cells: fc.array(valueColumn, { minLength: 12, maxLength: 12 }),
    purpose: sentence,
    semantics: fc.array(sentence, { minLength: 1, maxLength: 3 }),
    owner: fc.constantFrom('operations', 'null', '12'),
    version: fc.constantFrom('1.0.0', '2.10.3'),
  })
  .map(({ names, cells, ...rest }) => {
    const columns: readonly Column[] = names.map((name, i) => {
      if (i === 0) return { name, type: 'string', nullable: false, meaning: 'device' }
      if (i === 1) return { name, type: 'timestamp', nullable: false, meaning: 'time' }
      return { name, ...cells[i]! }
    })
    return {
      ...rest,
      id: 'X1',
      name: 'some_table',
      columns,
      key: [names[1]!, names[0]!],
      partitionColumns: [],
      sortColumns: [names[0]!],
      service: { freshnessMinutes: 5, freshnessColumn: names[1]!, maxGapSeconds: 90 },
    }
  })

describe('an exported contract', () => {
  it.each(fleetContracts(exampleFleet).map((contract) => [contract.name, contract] as const))(
    '%s is valid by the official schema and comes back equal',
    (_name, contract) => {
      const text = odcsYaml(contract)
      expect(officialFaults(parse(text))).toEqual([])
      const { contracts: read, ignored } = readOdcs(text)
      expect(read).toEqual([{ ...contract, owner: contract.owner ?? defaultOwner }])
      expect(ignored).toEqual([])
    },
  )

  it('comes back equal whatever its words, units, ranges and shares', () => {
    fc.assert(
      fc.property(contracts, (contract) => {
        const text = odcsYaml(contract)
        expect(officialFaults(parse(text))).toEqual([])
        expect(readOdcs(text).contracts).toEqual([contract])
      }),
      { numRuns: 100 },
    )
  })

  it('is refused when it contradicts itself', () => {
    const [contract] = fleetContracts(exampleFleet)
    expect(() => odcsYaml({ ...contract!, key: ['nothing'] })).toThrow(/key column nothing/)
  })

  it('names the official schema when the judge is asked to look at nonsense', () => {
    expect(officialFaults({ kind: 'DataContract' }).length).toBeGreaterThan(0)
    const document = odcsDocument(fleetContracts(exampleFleet)[0]!)
    expect(officialFaults({ ...document, surprise: 1 }).length).toBeGreaterThan(0)
  })
})

describe('a contract of another house', () => {
  const foreign = {
    apiVersion: 'v3.0.2',
    kind: 'DataContract',
    id: '53581432-6c55-4ba2-a65f-72344a91553a',
    version: '1.1.0',
    status: 'active',
    description: { purpose: 'Pump readings' },
    price: { priceAmount: 9.95, priceCurrency: 'USD', priceUnit: 'megabyte' },
    schema: [
      {
        name: 'pump_readings',
        properties: [
          { name: 'pump', logicalType: 'string', physicalType: 'VARCHAR(18)', primaryKey: true },
          { name: 'at', logicalType: 'timestamp', required: true, primaryKey: true },
          { name: 'count', logicalType: 'integer', physicalType: 'bigint' },
          {
            name: 'state',
            logicalType: 'string',
            quality: [
              { metric: 'invalidValues', arguments: { validValues: ['on', 'off'] }, mustBe: 0 },
            ],
          },
          { name: 'tags', logicalType: 'array', items: { logicalType: 'string' } },
        ],
      },
    ],
    slaProperties: [{ property: 'retention', value: 2, unit: 'y', element: 'pump_readings.at' }],
  }

  it('gives its tables, types, keys, values and service level, and says what is not kept', () => {
    expect(officialFaults({ ...foreign, apiVersion: 'v3.1.0' })).toEqual([])
    const { contracts: read, ignored } = readOdcs(stringify(foreign))
    expect(ignored).toEqual(['price'])
    expect(read).toMatchObject([
      {
        name: 'pump_readings',
        purpose: 'Pump readings',
        key: ['pump', 'at'],
        columns: [
          { name: 'pump', type: 'string', nullable: true },
          { name: 'at', type: 'timestamp', nullable: false },
          { name: 'count', type: 'long' },
          { name: 'state', type: 'string', values: ['on', 'off'] },
          { name: 'tags', type: 'array<string>' },
        ],
        service: { retentionDays: 730, freshnessColumn: 'at' },
      },
    ])
  })

  const broken: readonly (readonly [string, unknown, RegExp])[] = [
    ['of version 2', { ...foreign, apiVersion: 'v2.2.2' }, /version 3/],
    ['without tables', { ...foreign, schema: [] }, /at least one table/],
    ['of another kind', { ...foreign, kind: 'Model' }, /kind/],
    [
      'with nested objects',
      { ...foreign, schema: [{ name: 't', properties: [{ name: 'a', logicalType: 'object' }] }] },
      /logicalType object cannot be kept/,
    ],
    [
      'with half a range',
      {
        ...foreign,
        schema: [
          {
            name: 't',
            properties: [{ name: 'a', logicalType: 'number', logicalTypeOptions: { minimum: 1 } }],
          },
        ],
      },
      /both minimum and maximum/,
    ],
    [
      'without a key',
      { ...foreign, schema: [{ name: 't', properties: [{ name: 'a', logicalType: 'string' }] }] },
      /it has no key/,
    ],
  ]
  it.each(broken)('%s is refused with the reason', (_name, document, reason) => {
    expect(() => readOdcs(stringify(document))).toThrow(reason)
  })

  it('that is no YAML is refused', () => {
    expect(() => readOdcs('a: [1')).toThrow(/no YAML/)
    expect(() => readOdcs('')).toThrow(/no ODCS 3 document/)
  })
})
