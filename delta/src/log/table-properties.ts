import { InvalidProperty } from '../errors.ts'
import type { Metadata } from './actions.ts'
import { parseInterval } from './interval.ts'

/** Commits between two checkpoints where the table does not say otherwise. */
const defaultCheckpointInterval = 50

/** Settings that this library cannot keep while it writes, with the only value it can. */
const fixedProperties: Readonly<Record<string, string>> = {
  'delta.columnMapping.mode': 'none',
  'delta.enableDeletionVectors': 'false',
  'delta.enableChangeDataFeed': 'false',
  'delta.enableRowTracking': 'false',
  'delta.enableTypeWidening': 'false',
}

/** Commits from one checkpoint to the next: `delta.checkpointInterval`. */
export function checkpointInterval(metadata: Metadata): number {
  const count = Number(metadata.configuration['delta.checkpointInterval'])
  return Number.isInteger(count) && count > 0 ? count : defaultCheckpointInterval
}

/** How long removed files are kept for readers: `delta.deletedFileRetentionDuration`, or one week. */
export function deletedFileRetentionMs(metadata: Metadata): number {
  const text = metadata.configuration['delta.deletedFileRetentionDuration'] ?? 'interval 1 week'
  return parseInterval(text) ?? 7 * 86_400_000
}

/** How long log files that a checkpoint stands for are kept: `delta.logRetentionDuration`, or 30 days. */
export function logRetentionMs(metadata: Metadata): number {
  const text = metadata.configuration['delta.logRetentionDuration'] ?? 'interval 30 days'
  return parseInterval(text) ?? 30 * 86_400_000
}

/** Properties with the two values true and false. */
const switches: ReadonlySet<string> = new Set([
  'delta.appendOnly',
  'delta.enableInCommitTimestamps',
  'delta.enableExpiredLogCleanup',
])

/** @throws InvalidProperty for a value that does not parse or that this library cannot keep */
export function checkProperties(properties: Readonly<Record<string, string>>, table: string): void {
  for (const [name, value] of Object.entries(properties)) {
    const fixed = fixedProperties[name]
    const isFixed = fixed !== undefined || name.startsWith('delta.constraints.')
    if (isFixed && value !== fixed) {
      throw invalid(table, name, fixed ?? 'no constraint', value, 'this library cannot keep it')
    }
    if (name.endsWith('Duration') && parseInterval(value) === undefined) {
      throw invalid(table, name, 'interval N unit', value, 'write for instance "interval 1 week"')
    }
    if (switches.has(name) && !/^(true|false)$/i.test(value)) {
      throw invalid(table, name, 'true or false', value, 'write one of them')
    }
    if (name === 'delta.isolationLevel' && !/^(Write)?Serializable$/.test(value)) {
      const levels = 'Serializable or WriteSerializable'
      throw invalid(table, name, levels, value, 'write one of them')
    }
    const isInterval = name === 'delta.checkpointInterval'
    if (isInterval && !(Number.isInteger(Number(value)) && Number(value) > 0)) {
      throw invalid(table, name, 'a whole number above 0', value, 'write for instance "50"')
    }
  }
}

function invalid(
  table: string,
  name: string,
  expected: string,
  found: string,
  fix: string,
): InvalidProperty {
  return new InvalidProperty({
    table,
    where: `property ${name}`,
    what: 'cannot be set',
    expected,
    found,
    fix,
  })
}
