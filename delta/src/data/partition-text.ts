import type { PartitionValues } from '../log/actions.ts'
import type { DeltaSchema, DeltaType } from '../schema/schema.ts'

const instantForm = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?([+-]\d\d)(?::?(\d\d))?$/

/**
 * Partition values as the engine spells them, in the spelling of the log: instants as ISO text in UTC
 * with microseconds, everything else as it is. Delta: "Partition Value Serialization".
 */
export function logPartitionValues(values: PartitionValues, schema: DeltaSchema): PartitionValues {
  const typeOf = new Map(schema.fields.map(({ name, type }) => [name, type]))
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, logText(value, typeOf.get(name))]),
  )
}

function logText(value: string | null, type: DeltaType | undefined): string | null {
  if (value === null || type !== 'timestamp') return value
  const parts = instantForm.exec(value)
  if (parts === null) return value
  const [, day, time, fraction = '', hours, minutes = '00'] = parts
  const ms = Date.parse(`${day}T${time}${hours}:${minutes}`)
  if (Number.isNaN(ms)) return value
  return `${new Date(ms).toISOString().slice(0, 19)}.${fraction.padEnd(6, '0')}Z`
}
