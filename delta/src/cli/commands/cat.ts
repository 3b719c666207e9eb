import type { RowBatch } from '../../read/row-batch.ts'
import { rows } from '../../read/rows.ts'
import type { DeltaSchema, DeltaType } from '../../schema/schema.ts'
import type { Command } from '../command.ts'
import { nameList, wholeNumber } from '../option-values.ts'
import type { Cell, Line } from '../output.ts'
import { jsonText } from '../output.ts'
import { predicateOf, whereOption } from '../where.ts'

/** Rows of a table. */
export const catCommand: Command = {
  name: 'cat',
  words: 'TABLE',
  summary: 'print rows of a table; with --json one object per line',
  travels: true,
  options: {
    columns: { type: 'string', value: 'A,B', help: 'only these columns, in this order' },
    where: whereOption,
    limit: { type: 'string', value: 'N', help: 'at most so many rows (default 20, 0 for all)' },
  },
  wordCount: 0,
  run: async ({ given, output, openTable, at }) => {
    const limit = wholeNumber('limit', given.text('limit') ?? '20') || Number.POSITIVE_INFINITY
    const table = await openTable()
    const snapshot = await table.snapshot(at)
    const columns = nameList(given.text('columns'))
    const where = predicateOf(given.list('where'), snapshot.schema)
    const stream = rows(table, {
      snapshot,
      ...(columns === undefined ? {} : { columns }),
      ...(where === undefined ? {} : { where }),
    })
    let count = 0
    for await (const batch of stream) {
      const lines: Line[] = []
      for (let row = 0; row < batch.rowCount && count < limit; row++, count++) {
        const record = recordOf(batch, row, snapshot.schema)
        output.json(record)
        if (!output.isJson) lines.push(lineOf(record))
      }
      if (lines.length > 0) output.table(lines)
      if (count >= limit) break
    }
    if (count === 0) output.text('(no rows)')
    return 0
  },
}

function recordOf(batch: RowBatch, row: number, schema: DeltaSchema): Record<string, unknown> {
  const types = new Map(schema.fields.map(({ name, type }) => [name, type]))
  return Object.fromEntries(
    Object.entries(batch.columns).map(([name, { values, valid }]) => [
      name,
      valid[row] === 0 ? null : shown(types.get(name) ?? 'void', values[row]),
    ]),
  )
}

/** Dates and times as ISO text, booleans as such; everything else as it came. */
function shown(type: DeltaType, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (typeof type === 'object') return shownNested(type, value)
  switch (type) {
    case 'boolean':
      return value === 1 || value === true
    case 'date':
      return new Date(Number(value) * 86_400_000).toISOString().slice(0, 10)
    case 'timestamp':
      return `${instant(value)}Z`
    case 'timestamp_ntz':
      return instant(value)
    default:
      return value
  }
}

function shownNested(type: Exclude<DeltaType, string>, value: unknown): unknown {
  if (type.type === 'array' && Array.isArray(value)) {
    return value.map((item: unknown) => shown(type.elementType, item))
  }
  if (type.type === 'map' && value instanceof Map) {
    return new Map(
      [...value].map(([key, item]) => [shown(type.keyType, key), shown(type.valueType, item)]),
    )
  }
  if (type.type === 'struct' && typeof value === 'object') {
    const parts = value as Readonly<Record<string, unknown>>
    return Object.fromEntries(
      type.fields.map((field) => [field.name, shown(field.type, parts[field.name])]),
    )
  }
  return value
}

function instant(value: unknown): string {
  const micros = BigInt(value as bigint)
  const second = micros >= 0n ? micros / 1_000_000n : -((999_999n - micros) / 1_000_000n)
  const text = new Date(Number(second) * 1000).toISOString().slice(0, 19)
  return `${text}.${String(micros - second * 1_000_000n).padStart(6, '0')}`
}

function lineOf(record: Readonly<Record<string, unknown>>): Line {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      typeof value === 'object' && value !== null ? jsonText(value) : (value as Cell),
    ]),
  )
}
