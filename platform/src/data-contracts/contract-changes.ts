import type { Column, ServiceLevel, TableContract } from '../contracts/index.ts'

/**
 * How far a change reaches. `breaking`: a row that was valid is not any more, or what a reader finds
 * under a name is not what it was. `addition`: readers of before go on unchanged. `wording`: nothing
 * but text, owners and the order of columns.
 */
export type ChangeReach = 'breaking' | 'addition' | 'wording'

/** What changed, as one of a closed list. */
export type ChangeKind =
  | 'table-renamed'
  | 'column-removed'
  | 'column-added'
  | 'required-column-added'
  | 'type-changed'
  | 'unit-changed'
  | 'nullability-changed'
  | 'range-narrowed'
  | 'range-widened'
  | 'values-removed'
  | 'values-added'
  | 'null-fraction-lowered'
  | 'null-fraction-raised'
  | 'key-changed'
  | 'partitions-changed'
  | 'service-weakened'
  | 'service-strengthened'
  | 'column-deprecated'
  | 'column-revived'
  | 'personal-changed'
  | 'description-changed'

/** One difference between two versions of a contract. */
export type ContractChange = {
  readonly kind: ChangeKind
  readonly reach: ChangeReach
  /** The column, where the change is of one. */
  readonly column?: string
  /** One sentence: what it was and what it is. */
  readonly detail: string
}

type Say = (kind: ChangeKind, reach: ChangeReach, detail: string) => void

function boundsText(range: readonly [number, number] | undefined): string {
  return range === undefined ? 'any number' : `${range[0]} to ${range[1]}`
}

function compareRanges(before: Column, after: Column, say: Say): void {
  const [low, high] = before.range ?? [-Infinity, Infinity]
  const [newLow, newHigh] = after.range ?? [-Infinity, Infinity]
  const detail = `range was ${boundsText(before.range)}, is ${boundsText(after.range)}`
  if (newLow > low || newHigh < high) say('range-narrowed', 'breaking', detail)
  else if (newLow < low || newHigh > high) say('range-widened', 'addition', detail)
}

function compareValues(before: Column, after: Column, say: Say): void {
  const was = before.values
  const is = after.values
  if (was === undefined && is === undefined) return
  if (was === undefined) {
    say('values-removed', 'breaking', `any text was allowed, now only ${is?.join(', ')}`)
    return
  }
  const removed = is === undefined ? [] : was.filter((value) => !is.includes(value))
  const added = is === undefined ? ['any text'] : is.filter((value) => !was.includes(value))
  if (removed.length > 0) say('values-removed', 'breaking', `no longer ${removed.join(', ')}`)
  else if (added.length > 0) say('values-added', 'addition', `now also ${added.join(', ')}`)
}

function compareNulls(before: Column, after: Column, say: Say): void {
  if (before.nullable !== after.nullable) {
    const detail = after.nullable
      ? 'was never null, may be now: readers meet nulls'
      : 'could be null, may not be now: stored rows are no longer valid'
    say('nullability-changed', 'breaking', detail)
    return
  }
  const was = before.maxNullFraction ?? 1
  const is = after.maxNullFraction ?? 1
  if (is < was) say('null-fraction-lowered', 'breaking', `share of nulls was ${was}, is ${is}`)
  if (is > was) say('null-fraction-raised', 'addition', `share of nulls was ${was}, is ${is}`)
}

function compareRetirement(before: Column, after: Column, say: Say): void {
  if (before.deprecatedOn === after.deprecatedOn) return
  if (after.deprecatedOn === undefined) {
    say('column-revived', 'addition', `was deprecated on ${before.deprecatedOn}, is filled again`)
  } else {
    const successor = after.replacedBy === undefined ? '' : `; read ${after.replacedBy} instead`
    say(
      'column-deprecated',
      'addition',
      `is no longer filled from ${after.deprecatedOn}${successor}`,
    )
  }
}

function compareColumn(before: Column, after: Column): readonly ContractChange[] {
  const changes: ContractChange[] = []
  const say: Say = (kind, reach, detail) =>
    changes.push({ kind, reach, column: after.name, detail: `${after.name}: ${detail}` })
  if (before.type !== after.type) {
    say('type-changed', 'breaking', `type was ${before.type}, is ${after.type}`)
  }
  if (before.unit !== after.unit) {
    const [was, is] = [before.unit ?? 'none', after.unit ?? 'none']
    say('unit-changed', 'breaking', `unit was ${was}, is ${is}`)
  }
  // A range in another type or unit cannot be compared: the retype says it all.
  if (changes.length === 0) compareRanges(before, after, say)
  if (before.type === after.type) compareValues(before, after, say)
  compareNulls(before, after, say)
  compareRetirement(before, after, say)
  if ((before.personal === true) !== (after.personal === true)) {
    say('personal-changed', 'addition', `can identify a person: ${after.personal === true}`)
  }
  const textOf = ({ meaning, replacedBy, physicalName, extension }: Column) =>
    JSON.stringify([meaning, replacedBy, physicalName, extension === true])
  if (textOf(before) !== textOf(after) && before.deprecatedOn === after.deprecatedOn) {
    say('description-changed', 'wording', 'is described in other words')
  }
  return changes
}

type Promised = readonly [name: string, of: (service: ServiceLevel) => number | undefined]

/** Promises that are better the smaller the number, and those that are better the larger. */
const smallerIsBetter: readonly Promised[] = [
  ['freshness in minutes', (service) => service.freshnessMinutes],
  ['cadence in seconds', (service) => service.cadenceSeconds],
  ['longest pause in seconds', (service) => service.maxGapSeconds],
]
const largerIsBetter: readonly Promised[] = [
  ['retention in days', (service) => service.retentionDays],
  ['completeness', (service) => service.completeness?.share],
]

function compareService(before: TableContract, after: TableContract): readonly ContractChange[] {
  const changes: ContractChange[] = []
  const compare = ([name, of]: Promised, sign: 1 | -1) => {
    const was = of(before.service ?? {})
    const is = of(after.service ?? {})
    if (was === is) return
    const detail = `${name} was ${was ?? 'not promised'}, is ${is ?? 'not promised'}`
    const isWeaker = is === undefined || (was !== undefined && sign * (is - was) > 0)
    if (isWeaker) changes.push({ kind: 'service-weakened', reach: 'breaking', detail })
    else changes.push({ kind: 'service-strengthened', reach: 'addition', detail })
  }
  for (const promise of smallerIsBetter) compare(promise, 1)
  for (const promise of largerIsBetter) compare(promise, -1)
  const [was, is] = [before.service?.freshnessColumn, after.service?.freshnessColumn]
  if (was !== is && was !== undefined) {
    const detail = `the time of a row was ${was}, is ${is ?? 'not named'}`
    changes.push({ kind: 'service-weakened', reach: 'breaking', detail })
  }
  return changes
}

function compareColumns(before: TableContract, after: TableContract): readonly ContractChange[] {
  const known = new Map(before.columns.map((column) => [column.name, column]))
  const changes: ContractChange[] = []
  for (const column of after.columns) {
    const { name, nullable } = column
    const was = known.get(name)
    known.delete(name)
    if (was !== undefined) changes.push(...compareColumn(was, column))
    else if (nullable) {
      const detail = `${name}: is new; history stays null`
      changes.push({ kind: 'column-added', reach: 'addition', column: name, detail })
    } else {
      const detail = `${name}: is new and never null, but stored rows have none`
      changes.push({ kind: 'required-column-added', reach: 'breaking', column: name, detail })
    }
  }
  for (const [column, { deprecatedOn }] of known) {
    const since = deprecatedOn === undefined ? 'never deprecated' : `deprecated on ${deprecatedOn}`
    const detail = `${column}: is gone (${since})`
    changes.push({ kind: 'column-removed', reach: 'breaking', column, detail })
  }
  return changes
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}

/** Every difference between two versions of a contract; empty when they say the same. */
export function contractChanges(
  before: TableContract,
  after: TableContract,
): readonly ContractChange[] {
  const changes: ContractChange[] = []
  const table = (kind: ChangeKind, reach: ChangeReach, detail: string) =>
    changes.push({ kind, reach, detail })
  const list = (names: readonly string[]) => names.join(', ') || 'none'
  if (before.name !== after.name) {
    table('table-renamed', 'breaking', `the table was ${before.name}, is ${after.name}`)
  }
  if (!sameList(before.key.toSorted(), after.key.toSorted())) {
    table('key-changed', 'breaking', `the key was ${list(before.key)}, is ${list(after.key)}`)
  }
  if (!sameList(before.partitionColumns, after.partitionColumns)) {
    const [was, is] = [list(before.partitionColumns), list(after.partitionColumns)]
    table('partitions-changed', 'breaking', `the partitions were ${was}, are ${is}`)
  }
  const textOf = (contract: TableContract) => {
    const { id, purpose, owner, semantics, sortColumns, settlesAfterDays, service } = contract
    const names = contract.columns.map(({ name }) => name)
    const common = names.filter((name) =>
      [before, after].every(({ columns }) => columns.some((one) => one.name === name)),
    )
    const of = service?.completeness?.of
    const texts = [id, purpose, owner, semantics ?? [], sortColumns, settlesAfterDays, of]
    return JSON.stringify([...texts, common])
  }
  if (textOf(before) !== textOf(after)) {
    table('description-changed', 'wording', 'purpose, owner, semantics or order is another')
  }
  return [...changes, ...compareColumns(before, after), ...compareService(before, after)]
}
