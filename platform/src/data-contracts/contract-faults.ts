import type { Column, ColumnType, TableContract } from '../contracts/index.ts'

const namePattern = /^[a-z_][a-z0-9_]*$/
const versionPattern = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/
const datePattern = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/

const numericTypes: readonly ColumnType[] = ['double', 'integer', 'long']
const unitTypes: readonly ColumnType[] = [...numericTypes, 'array<double>', 'map<string,double>']
/** Types a partition path or a key can be made of. */
const plainTypes: readonly ColumnType[] = ['string', 'integer', 'long', 'boolean', 'timestamp']

const int32 = [-(2 ** 31), 2 ** 31 - 1] as const

function repeated(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) < index)
}

function rangeFaults({ name, type, range }: Column): readonly string[] {
  if (range === undefined) return []
  const [low, high] = range
  const faults: string[] = []
  if (!numericTypes.includes(type)) faults.push(`${name} is ${type} but has a numeric range`)
  if (!Number.isFinite(low) || !Number.isFinite(high)) {
    faults.push(`${name}: the range ${low} to ${high} is not finite`)
  } else if (low > high) faults.push(`${name}: the range ${low} to ${high} holds no value`)
  if (type === 'integer' && (low < int32[0] || high > int32[1])) {
    faults.push(`${name}: the range ${low} to ${high} leaves what an integer (32 bits) holds`)
  }
  if (type === 'integer' && Math.ceil(low) > Math.floor(high)) {
    faults.push(`${name}: no integer lies in ${low} to ${high}`)
  }
  return faults
}

function valueFaults({ name, type, values }: Column): readonly string[] {
  if (values === undefined) return []
  if (type !== 'string') return [`${name} is ${type} but has a list of text values`]
  if (values.length === 0) return [`${name}: the list of values is empty, so no row can hold one`]
  const twice = repeated(values)
  return twice === undefined ? [] : [`${name}: the value ${twice} is listed twice`]
}

function nullFaults({ name, nullable, maxNullFraction }: Column): readonly string[] {
  if (maxNullFraction === undefined) return []
  if (!(maxNullFraction >= 0 && maxNullFraction <= 1)) {
    return [`${name}: maxNullFraction ${maxNullFraction} is outside 0 to 1`]
  }
  return !nullable && maxNullFraction > 0
    ? [`${name} is never null, but up to ${maxNullFraction} of its values may be`]
    : []
}

function retirementFaults(column: Column, names: readonly string[]): readonly string[] {
  const { name, nullable, deprecatedOn, replacedBy } = column
  const faults: string[] = []
  if (deprecatedOn !== undefined && !datePattern.test(deprecatedOn)) {
    faults.push(`${name}: deprecatedOn ${deprecatedOn} is no date YYYY-MM-DD`)
  }
  if (deprecatedOn !== undefined && !nullable) {
    faults.push(`${name} is deprecated, so it goes null (CON-51), but it may not be null`)
  }
  if (replacedBy !== undefined && deprecatedOn === undefined) {
    faults.push(`${name} is replaced by ${replacedBy} but not deprecated`)
  }
  if (replacedBy !== undefined && (replacedBy === name || !names.includes(replacedBy))) {
    faults.push(`${name} is replaced by ${replacedBy}, which is no other column of the table`)
  }
  return faults
}

function columnFaults(column: Column, names: readonly string[]): readonly string[] {
  const { name, type, unit, meaning } = column
  const faults: string[] = []
  if (!namePattern.test(name)) faults.push(`column name ${name} is not snake_case`)
  if (meaning.trim() === '') faults.push(`${name} has no meaning`)
  if (unit !== undefined && !unitTypes.includes(type)) {
    faults.push(`${name} is ${type} but has the unit ${unit}`)
  }
  return [
    ...faults,
    ...rangeFaults(column),
    ...valueFaults(column),
    ...nullFaults(column),
    ...retirementFaults(column, names),
  ]
}

function layoutFaults(contract: TableContract): readonly string[] {
  const byName = new Map(contract.columns.map((column) => [column.name, column]))
  const lists = [
    ['key', contract.key],
    ['partition', contract.partitionColumns],
    ['sort', contract.sortColumns],
  ] as const
  return lists.flatMap(([role, names]) => {
    const twice = repeated(names)
    const faults = twice === undefined ? [] : [`${role} column ${twice} is named twice`]
    for (const name of names) {
      const column = byName.get(name)
      if (column === undefined) faults.push(`${role} column ${name} is not among the columns`)
      else if (role !== 'sort' && !plainTypes.includes(column.type)) {
        faults.push(`${role} column ${name} is ${column.type}; expected ${plainTypes.join(', ')}`)
      } else if (role !== 'sort' && column.deprecatedOn !== undefined) {
        faults.push(`${role} column ${name} is deprecated`)
      }
    }
    return faults
  })
}

function serviceFaults({ service, columns }: TableContract): readonly string[] {
  if (service === undefined) return []
  const faults: string[] = []
  const { freshnessMinutes, freshnessColumn, retentionDays, completeness } = service
  const { cadenceSeconds, maxGapSeconds } = service
  const amounts = { freshnessMinutes, retentionDays, cadenceSeconds, maxGapSeconds }
  for (const [name, amount] of Object.entries(amounts)) {
    if (amount !== undefined && !(Number.isFinite(amount) && amount > 0)) {
      faults.push(`${name} is ${amount}; expected a number above 0`)
    }
  }
  const aged = columns.find(({ name }) => name === freshnessColumn)
  if (freshnessColumn !== undefined && aged?.type !== 'timestamp') {
    faults.push(`freshness is measured on ${freshnessColumn}, which is no timestamp of the table`)
  }
  const needsColumn = freshnessMinutes ?? cadenceSeconds ?? maxGapSeconds
  if (needsColumn !== undefined && freshnessColumn === undefined) {
    faults.push('freshness, cadence or gap is promised, but no column says the time of a row')
  }
  if ((retentionDays ?? Infinity) * 1440 < (freshnessMinutes ?? 0)) {
    faults.push(`rows are kept ${retentionDays} days but may arrive after ${freshnessMinutes} min`)
  }
  if ((maxGapSeconds ?? Infinity) < (cadenceSeconds ?? 0)) {
    faults.push(
      `a pause of ${maxGapSeconds} s is the longest, but rows come each ${cadenceSeconds} s`,
    )
  }
  if (completeness !== undefined && !(completeness.share > 0 && completeness.share <= 1)) {
    faults.push(`completeness ${completeness.share} is outside 0 (exclusive) to 1`)
  }
  return faults
}

/**
 * What contradicts itself in a contract, each as a sentence; empty when nothing does. A contract
 * with a fault is not published, exported, imported or checked against data.
 */
export function contractFaults(contract: TableContract): readonly string[] {
  const names = contract.columns.map(({ name }) => name)
  const faults: string[] = []
  if (!namePattern.test(contract.name)) faults.push(`table name ${contract.name} is not snake_case`)
  if (!versionPattern.test(contract.version)) {
    faults.push(`version ${contract.version} is not of the form 1.0.0`)
  }
  if (contract.purpose.trim() === '') faults.push('it has no purpose')
  if (names.length === 0) faults.push('it has no column')
  if (contract.key.length === 0) faults.push('it has no key')
  const twice = repeated(names)
  if (twice !== undefined) faults.push(`column ${twice} is defined twice`)
  return [
    ...faults,
    ...contract.columns.flatMap((column) => columnFaults(column, names)),
    ...layoutFaults(contract),
    ...serviceFaults(contract),
  ]
}
