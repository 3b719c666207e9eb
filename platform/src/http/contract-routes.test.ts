import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  exampleFleet,
  fleetContracts,
  optional,
  required,
  type TableContract,
} from '../contracts/index.ts'
import { readOdcs } from '../data-contracts/index.ts'
import { contractDetailSchema, contractListSchema } from './schemas/contract-schema.ts'
import { type TemporaryServer, temporaryServer, writeTable } from './test-support.ts'

const pumps: TableContract = {
  name: 'pumps',
  id: 'P1',
  version: '2.1.0',
  purpose: 'Pump readings',
  columns: [
    required('pump', 'string', 'Pump'),
    optional('flow', 'double', 'Flow', { unit: 'l/s' }),
  ],
  key: ['pump'],
  partitionColumns: [],
  sortColumns: [],
}

let test: TemporaryServer
beforeAll(async () => {
  test = await temporaryServer({ contracts: () => [pumps] })
})
afterAll(() => test.remove())

const detail = async (name: string) =>
  contractDetailSchema.parse((await test.get(`/api/v1/contracts/${name}`)).body)

describe('the contracts over HTTP', () => {
  it('are those of the release and the imported ones, each with how it stands', async () => {
    const { contracts } = contractListSchema.parse((await test.get('/api/v1/contracts')).body)
    const names = fleetContracts(exampleFleet).map(({ name }) => name)
    expect(contracts.map(({ name }) => name)).toEqual([...names, 'pumps'])
    expect(contracts.filter(({ state }) => state !== 'ok')).toEqual([])
    expect(contracts.at(-1)).toMatchObject({ origin: 'import', version: '2.1.0', column_count: 2 })
  })

  it('come whole: columns, semantics, and a document of the standard that reads back', async () => {
    const { columns, semantics, odcs } = await detail('clean_sensor_readings')
    expect(columns.find(({ name }) => name === 'temperature')).toMatchObject({
      unit: '°C',
      range: [-40, 60],
      nullable: true,
    })
    expect(semantics.length).toBeGreaterThan(0)
    expect(readOdcs(odcs).contracts[0]?.columns).toHaveLength(columns.length)
    expect((await detail('pumps')).odcs).toContain('l/s')
  })

  it('tell since when the stored table has a column', async () => {
    await writeTable(
      test.lake,
      'schema_change_log',
      `SELECT 'x' AS change_id, 'device_features' AS table_name, 'temp_mean' AS column_name,
        '1.0.0' AS contract_version, '2026-02-01' AS date_added, 91.5::DOUBLE AS fleet_coverage_pct`,
    )
    expect((await detail('device_features')).changes).toMatchObject([
      { column: 'temp_mean', date_added: '2026-02-01', fleet_coverage_pct: 91.5 },
    ])
  })

  it('that do not exist are not found, and the names there are are named', async () => {
    const { status, body } = await test.get('/api/v1/contracts/nothing')
    expect(status).toBe(404)
    expect(body.detail).toContain('clean_sensor_readings')
    expect(test.failures).toEqual([])
  })
})
