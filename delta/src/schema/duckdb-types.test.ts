import fc from 'fast-check'
import { expect, test } from 'vitest'
import { InvalidSchema } from '../errors.ts'
import { rowsOf, scratchConnection } from '../scratch.testing.ts'
import { fromDuckDbType, toDuckDbType } from './duckdb-types.ts'
import type { DeltaType } from './schema.ts'
import { parseSchema, schemaString } from './schema.ts'

const primitive = fc.constantFrom<DeltaType>(
  'string',
  'long',
  'integer',
  'short',
  'byte',
  'double',
  'float',
  'boolean',
  'binary',
  'date',
  'timestamp',
  'timestamp_ntz',
)
const { type } = fc.letrec<{ type: DeltaType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3 },
    primitive,
    fc
      .record({
        precision: fc.integer({ min: 1, max: 38 }),
        scale: fc.integer({ min: 0, max: 38 }),
      })
      .map(
        ({ precision, scale }): DeltaType => ({
          type: 'decimal',
          precision,
          scale: Math.min(precision, scale),
        }),
      ),
    tie('type').map(
      (elementType): DeltaType => ({ type: 'array', elementType, containsNull: true }),
    ),
    fc.tuple(primitive, tie('type')).map(
      ([keyType, valueType]): DeltaType => ({
        type: 'map',
        keyType,
        valueType,
        valueContainsNull: true,
      }),
    ),
    fc
      .uniqueArray(fc.constantFrom('a', 'B c', 'with "quotes"', 'é', 'select', 'x_1'), {
        minLength: 1,
        maxLength: 3,
      })
      .chain((names) =>
        fc.tuple(...names.map(() => tie('type'))).map(
          (types): DeltaType => ({
            type: 'struct',
            fields: names.map((name, index) => ({
              name,
              type: types[index] ?? 'long',
              nullable: true,
              metadata: {},
            })),
          }),
        ),
      ),
  ),
}))

test('a type survives the way to SQL text and back, as the engine itself spells it', async () => {
  const connection = await scratchConnection()
  await fc.assert(
    fc.asyncProperty(type, async (delta) => {
      expect(fromDuckDbType(toDuckDbType(delta))).toEqual(delta)
      const [row] = await rowsOf(
        connection,
        `SELECT column_type FROM (DESCRIBE SELECT CAST(NULL AS ${toDuckDbType(delta)}) AS x)`,
      )
      expect(fromDuckDbType(String(row?.[0]))).toEqual(delta)
    }),
    { numRuns: 200 },
  )
})

test('a schema survives the way through the log', () => {
  fc.assert(
    fc.property(type, (delta) => {
      const schema = {
        type: 'struct' as const,
        fields: [{ name: 'x', type: delta, nullable: true, metadata: { comment: 'é' } }],
      }
      expect(parseSchema(schemaString(schema), 'test')).toEqual(schema)
    }),
  )
})

test('a SQL type without a counterpart is refused by name', () => {
  for (const sql of ['UBIGINT', 'HUGEINT', 'INTERVAL', 'JSON', 'STRUCT(a UINTEGER)', 'INTEGER)']) {
    expect(() => fromDuckDbType(sql)).toThrow(InvalidSchema)
  }
})
