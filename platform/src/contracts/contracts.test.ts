import { DuckDBInstance } from '@duckdb/node-api'
import { createTable, memoryStore } from '@isotherm/delta'
import { describe, expect, it } from 'vitest'
import {
  contractPage,
  defineFleet,
  duckDbColumns,
  exampleFleet,
  type FleetDefinition,
  featureColumns,
  fleetTables,
  jsonSchema,
  qualityFlags,
  selectFeatures,
} from './index.ts'
import { deltaFields } from './table-schema.ts'

const tables = fleetTables(exampleFleet)

describe('a table contract', () => {
  it.each(tables.map((table) => [table.name, table] as const))(
    '%s has unique columns, and its key, partitions and order are among them',
    (_name, table) => {
      const names = table.columns.map(({ name }) => name)
      expect(new Set(names).size).toBe(names.length)
      const used = [...table.key, ...table.partitionColumns, ...table.sortColumns]
      expect(used.filter((name) => !names.includes(name))).toEqual([])
      // Names that every engine reads without quoting or column mapping.
      expect(names.filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))).toEqual([])
    },
  )

  it.each(tables.map((table) => [table.name, table] as const))(
    '%s is a DuckDB table and a Delta table with the same columns in the same order',
    async (_name, table) => {
      const instance = await DuckDBInstance.create(':memory:')
      const connection = await instance.connect()
      await connection.run(`CREATE TABLE made (${duckDbColumns(table)})`)
      const described = await connection.runAndReadAll('DESCRIBE made')
      const columns = described.getRows().map(([name]) => name)
      connection.closeSync()
      instance.closeSync()
      const names = table.columns.map(({ name }) => name)
      expect(columns).toEqual(names)
      const delta = await createTable(memoryStore(), {
        name: table.name,
        schema: { type: 'struct', fields: deltaFields(table) },
        partitionColumns: [...table.partitionColumns],
      })
      const { schema } = await delta.snapshot()
      expect(schema.fields.map(({ name }) => name)).toEqual(names)
      // Not null is the contract's business; in the table it is an invariant some engines refuse.
      expect(schema.fields.every(({ nullable }) => nullable)).toBe(true)
    },
  )

  it('gives a JSON Schema whose required properties are the columns that may not be null', () => {
    for (const table of tables) {
      const schema = jsonSchema(table) as {
        readonly required: readonly string[]
        readonly properties: Readonly<Record<string, unknown>>
      }
      const names = table.columns.filter(({ nullable }) => !nullable).map(({ name }) => name)
      expect(schema.required).toEqual(names)
      expect(Object.keys(schema.properties)).toHaveLength(table.columns.length)
    }
  })

  it('is described on the reference page, every column with its meaning', () => {
    const page = contractPage('Tables', tables)
    for (const { columns } of tables) {
      for (const { name, meaning } of columns) {
        expect(page).toContain(`\`${name}\``)
        expect(page).toContain(meaning)
      }
    }
  })
})

describe('the clean table', () => {
  it('has the flags of CON-8 in their order', () => {
    expect(qualityFlags.slice(0, 5)).toEqual([
      'RANGE_VIOLATION',
      'CLOCK_DRIFT',
      'DUPLICATE_REMOVED',
      'SENSOR_GAP',
      'DEVICE_UNKNOWN',
    ])
  })

  it('carries the ranges of the sensors', () => {
    const clean = tables.find(({ name }) => name === 'clean_sensor_readings')
    expect(clean?.columns.find(({ name }) => name === 'temperature')?.range).toEqual([-40, 60])
  })
})

describe('the features of a fleet', () => {
  it('are named sensor_aggregate, then derived, then quality', () => {
    expect(featureColumns(exampleFleet).map(({ name }) => name)).toEqual([
      ...['temp_mean', 'temp_std', 'temp_min', 'temp_max', 'temp_slope'],
      ...['pressure_mean', 'pressure_std', 'pressure_p95', 'door_open_fraction'],
      'pressure_per_degree',
      ...['reading_count', 'sensor_completeness', 'quality_flag_count'],
    ])
  })

  it('have units: a trend is per minute', () => {
    const slope = featureColumns(exampleFleet).find(({ name }) => name === 'temp_slope')
    expect(slope).toMatchObject({ unit: '°C/min', resolution: 0.001 })
  })

  it('are selected by means and deviations, all, or by name', () => {
    expect(selectFeatures(exampleFleet, 'means_and_stds')).toEqual([
      ...['temp_mean', 'temp_std', 'pressure_mean', 'pressure_std'],
    ])
    expect(selectFeatures(exampleFleet, 'all')).toHaveLength(13)
    expect(selectFeatures(exampleFleet, ['temp_max'])).toEqual(['temp_max'])
  })
})

describe('a fleet definition', () => {
  const broken: readonly (readonly [string, Partial<FleetDefinition>, RegExp])[] = [
    ['no sensor', { sensors: [] }, /has no sensor/],
    [
      'a sensor twice',
      { sensors: [...exampleFleet.sensors, ...exampleFleet.sensors.slice(0, 1)] },
      /temperature is defined twice/,
    ],
    [
      'a hint about an unknown feature',
      { hints: [{ feature: 'temp_maen', direction: 'high', text: '' }] },
      /feature temp_maen is used but not defined/,
    ],
    [
      'a band over an unknown sensor',
      { bands: [{ sensor: 'door', label: 'door' }] },
      /sensor door is used but not defined/,
    ],
    [
      'a window the fleet does not have',
      { windowMinutes: [15] },
      /60 min is no window of the fleet/,
    ],
  ]
  it.each(broken)('is refused with %s', (_name, change, message) => {
    expect(() => defineFleet({ ...exampleFleet, ...change })).toThrow(message)
  })
})
