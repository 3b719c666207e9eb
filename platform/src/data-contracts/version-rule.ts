import type { TableContract } from '../contracts/index.ts'
import { type ContractChange, contractChanges } from './contract-changes.ts'

/** Days between the retirement of a column and its removal, CON-51. */
export const deprecationDays = 90

/** What two versions of a contract differ in, and why the newer may not be published. */
export type VersionVerdict = {
  readonly changes: readonly ContractChange[]
  /** Smallest version the changes call for. */
  readonly expectedVersion: string
  /** Reasons to refuse the newer version; empty when it may be published. */
  readonly refusals: readonly string[]
}

type Version = readonly [number, number, number]

function versionOf(text: string): Version {
  const [major = 0, minor = 0, patch = 0] = text.split('.').map(Number)
  return [major, minor, patch]
}

function compareVersions(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
}

function nextVersion(from: Version, changes: readonly ContractChange[]): Version {
  const [major, minor, patch] = from
  if (changes.some(({ reach }) => reach === 'breaking')) return [major + 1, 0, 0]
  if (changes.some(({ reach }) => reach === 'addition')) return [major, minor + 1, 0]
  return changes.length > 0 ? [major, minor, patch + 1] : from
}

/** Kinds that no version makes right: the old name would mean something else, CON-52. */
const never = new Map<ContractChange['kind'], string>([
  ['type-changed', 'a column is never retyped: add a new one, fill both, retire the old (CON-52)'],
  ['unit-changed', 'a unit is never changed: add a new column in the new unit (CON-52)'],
  ['table-renamed', 'a table keeps its name: publish a new contract beside the old'],
])

function dayNumber(date: string): number {
  return Math.floor(Date.parse(`${date}T00:00:00Z`) / 86_400_000)
}

function removalRefusal(before: TableContract, name: string, onDate: string): string | undefined {
  const deprecatedOn = before.columns.find((column) => column.name === name)?.deprecatedOn
  if (deprecatedOn === undefined) {
    return `${name}: a column is deprecated for ${deprecationDays} days before it goes (CON-51)`
  }
  const days = dayNumber(onDate) - dayNumber(deprecatedOn)
  return days >= deprecationDays
    ? undefined
    : `${name}: deprecated ${days} days ago, expected ${deprecationDays} before it goes (CON-51)`
}

/**
 * Judges a newer version of a contract by the rules of schema evolution, CON-50 to CON-53: columns
 * are added, retired and after 90 days removed, never retyped; the version says how far a change
 * reaches: breaking raises the first number, an addition the second, wording the third.
 * @param onDate UTC date of the publication, `YYYY-MM-DD`
 */
export function judgeVersion(
  before: TableContract,
  after: TableContract,
  onDate: string,
): VersionVerdict {
  const changes = contractChanges(before, after)
  const refusals: string[] = []
  for (const { kind, column, detail } of changes) {
    const reason = never.get(kind)
    if (reason !== undefined) refusals.push(`${detail}; ${reason}`)
    const removal =
      kind === 'column-removed' && column !== undefined
        ? removalRefusal(before, column, onDate)
        : undefined
    if (removal !== undefined) refusals.push(removal)
  }
  const was = versionOf(before.version)
  const is = versionOf(after.version)
  const expected = nextVersion(was, changes)
  const expectedVersion = expected.join('.')
  if (compareVersions(is, was) < 0) {
    refusals.push(`version ${after.version} is older than ${before.version}`)
  } else if (compareVersions(is, expected) < 0) {
    const reach = expected[0] > was[0] ? 'a breaking change' : 'the change'
    refusals.push(`version is ${after.version}; ${reach} calls for ${expectedVersion}`)
  } else if (changes.length === 0 && compareVersions(is, was) > 0) {
    refusals.push(`version went from ${before.version} to ${after.version} without a change`)
  }
  return { changes, expectedVersion, refusals }
}
