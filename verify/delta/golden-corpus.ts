import { createHash } from 'node:crypto'
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import type { DeltaField, DeltaType } from '@isotherm/delta'
import { compareUtf8 } from './values.ts'

/** Tables of the test corpus of delta-io/delta; they lie beside the checkout. */
export const goldenFolder = join(
  import.meta.dirname,
  ...['..', '..', '..', 'shared', 'data', 'delta-golden'],
)

/** Names of the tables there, by path from the folder; none where the folder is not there. */
export function goldenTables(): readonly string[] {
  if (!existsSync(goldenFolder)) return []
  return globSync('**/_delta_log', { cwd: goldenFolder })
    .map((path) => path.slice(0, -'/_delta_log'.length))
    .toSorted()
}

/** What one engine made of a table's newest version. */
export type GoldenReading =
  | {
      readonly kind: 'read'
      readonly schema: string
      readonly rowCount: number
      readonly hash: string
    }
  | { readonly kind: 'refused'; readonly reason: string }

/** Recorded readings: engine versions, and readings by table and engine. */
export type GoldenRecord = {
  readonly about: Readonly<Record<string, string>>
  readonly tables: Readonly<Record<string, Readonly<Record<string, GoldenReading>>>>
}

/** File of the recorded readings. */
export const goldenRecordFile = join(import.meta.dirname, 'golden-record.json')

/** One text for the content of a table, whatever order its rows came in. */
export function contentHash(rows: readonly string[]): string {
  return createHash('sha256').update(rows.toSorted(compareUtf8).join('\n')).digest('hex')
}

/** Types as engines write them in JSON, where decimals are text. */
export function parsedType(type: unknown): DeltaType {
  if (typeof type === 'string') {
    const decimal = /^decimal\((\d+),\s*(\d+)\)$/.exec(type)
    if (decimal === null) return type as DeltaType
    return { type: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
  }
  const form = type as Readonly<Record<string, unknown>> & { readonly type: string }
  if (form.type === 'array') {
    return { type: 'array', elementType: parsedType(form.elementType), containsNull: true }
  }
  if (form.type === 'map') {
    const [keyType, valueType] = [parsedType(form.keyType), parsedType(form.valueType)]
    return { type: 'map', keyType, valueType, valueContainsNull: true }
  }
  return { type: 'struct', fields: parsedFields(form.fields) }
}

/** Fields as engines write them in JSON. */
export function parsedFields(fields: unknown): readonly DeltaField[] {
  return (fields as readonly DeltaField[]).map(({ name, type, nullable }) => ({
    name,
    type: parsedType(type),
    nullable,
    metadata: {},
  }))
}
