import { expect, test } from 'vitest'
import { columns } from './columns.ts'
import { parseSchema, schemaString } from './schema.ts'

test('columns in short are the schema in full', () => {
  const schema = columns({
    device: 'string',
    price: 'decimal(10,2)',
    tags: { type: 'map', keyType: 'string', valueType: 'long', valueContainsNull: true },
    place: columns({ x: 'double', y: 'double' }),
  })
  expect(schema.fields.map(({ name, nullable }) => [name, nullable])).toEqual([
    ['device', true],
    ['price', true],
    ['tags', true],
    ['place', true],
  ])
  expect(schema.fields[1]?.type).toEqual({ type: 'decimal', precision: 10, scale: 2 })
  expect(parseSchema(schemaString(schema), 'table')).toEqual(schema)
})
