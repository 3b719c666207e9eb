import type { DeltaSchema, DeltaType } from '../schema/schema.ts'
import type { Comparison, Predicate } from '../write/predicate.ts'
import type { CommandOption } from './command.ts'
import { UsageError } from './command.ts'

/** The option that narrows a command to some rows. */
export const whereOption: CommandOption = {
  type: 'string',
  multiple: true,
  value: 'COND',
  help: `column, comparison and value, for instance "day>=2026-11-01" (several: all must hold)`,
}

/**
 * The condition of `--where` options: `column=value` with one of = != < <= > >=, or `column is null`.
 * Values are read as the column's type demands.
 * @throws UsageError
 */
export function predicateOf(
  conditions: readonly string[],
  schema: DeltaSchema,
): Predicate | undefined {
  if (conditions.length === 0) return undefined
  const typeOf = new Map(schema.fields.map(({ name, type }) => [name, type]))
  return { and: conditions.map((text) => condition(text, typeOf)) }
}

function condition(text: string, typeOf: ReadonlyMap<string, DeltaType>): Predicate {
  const nullness = /^\s*(\S+)\s+is\s+(not\s+)?null\s*$/i.exec(text)
  if (nullness?.[1] !== undefined) return { column: nullness[1], isNull: nullness[2] === undefined }
  const parts = /^\s*([^\s=<>!]+)\s*(<=|>=|!=|=|<|>)\s*([\s\S]*)$/.exec(text)
  const [, column, comparison, value] = parts ?? []
  if (column === undefined || value === undefined) {
    throw new UsageError(`--where takes a condition such as "day>=2026-11-01", not ${text}`)
  }
  return { column, is: comparison as Comparison, value: scalar(value.trim(), typeOf.get(column)) }
}

function scalar(text: string, type: DeltaType | undefined): string | number | bigint | boolean {
  switch (type) {
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true'
      throw new UsageError(`a boolean column is compared with true or false, not ${text}`)
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
      if (/^-?\d+$/.test(text)) return BigInt(text)
      throw new UsageError(`a whole number is needed, not ${JSON.stringify(text)}`)
    case 'double':
    case 'float':
      if (text !== '' && !Number.isNaN(Number(text))) return Number(text)
      throw new UsageError(`a number is needed, not ${JSON.stringify(text)}`)
    default:
      return text
  }
}
