import type { DeltaField, DeltaType } from '@isotherm/delta'
import { deltaFields, type TableContract } from '../contracts/index.ts'

/** How a stored table differs from its contract. */
export type StoredSchemaDifference = {
  /** Contract columns the table has not yet: of an earlier release; the next write adds them. */
  readonly missing: readonly string[]
  /** Table columns the contract does not name: of a later release, or retired. */
  readonly undeclared: readonly string[]
  /** Columns stored in another type, each as a sentence: no release may do that (CON-52). */
  readonly retyped: readonly string[]
}

function typeText(type: DeltaType): string {
  return typeof type === 'string' ? type : JSON.stringify(type)
}

/** Compares the fields of a stored Delta table with its contract. Order does not count. */
export function storedSchemaDifference(
  contract: TableContract,
  stored: readonly DeltaField[],
): StoredSchemaDifference {
  const found = new Map(stored.map((field) => [field.name, field.type]))
  const missing: string[] = []
  const retyped: string[] = []
  for (const { name, type } of deltaFields(contract)) {
    const actual = found.get(name)
    found.delete(name)
    if (actual === undefined) missing.push(name)
    else if (typeText(actual) !== typeText(type)) {
      retyped.push(`${name} is ${typeText(actual)}, expected ${typeText(type)}`)
    }
  }
  return { missing, undeclared: [...found.keys()], retyped }
}
