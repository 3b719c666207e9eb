import { CheckpointUnreadable, DeltaError } from '../errors.ts'
import { readCheckpoint, readHint } from '../log/checkpoint-reader.ts'
import { checksumPath } from '../log/checksum.ts'
import type { CheckpointFiles, LogListing } from '../log/log-listing.ts'
import { listLog } from '../log/log-listing.ts'
import { lastCheckpointPath } from '../log/log-names.ts'
import { readCommit } from '../log/log-reader.ts'
import { isRecord } from '../schema/schema.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { LogReplay } from './log-replay.ts'
import { contradictions, emptyReplay, replayActions } from './log-replay.ts'
import type { Findings } from './problem.ts'

/**
 * Reads every commit, checkpoint and checksum of the log in order and compares them with one another.
 * @returns the replay at the newest version that can be reached
 */
export async function checkLog(store: ObjectStore, findings: Findings): Promise<LogReplay> {
  const listing = await listLog(store, 0)
  checkSequence(store, listing, findings)
  await checkHint(store, listing, findings)
  const checksums = await checksumVersions(store)
  const checkpointsAt = Map.groupBy(listing.checkpoints, ({ version }) => version)
  const commitOf = new Map(listing.commits.map((file) => [file.version, file]))
  const versions = [...new Set([...commitOf.keys(), ...checkpointsAt.keys()])].toSorted(
    (a, b) => a - b,
  )
  let replay: LogReplay | undefined = emptyReplay()
  let next = 0
  for (const [index, version] of versions.entries()) {
    const commit = commitOf.get(version)
    // Behind a gap nothing is known of the files until a checkpoint tells.
    const base: LogReplay | undefined = version === next ? replay : undefined
    replay = undefined
    if (commit !== undefined) {
      findings.looked('commits', index + 1, versions.length)
      const isTaken = await isTakenIn(store, base ?? emptyReplay(), commit, findings)
      if (isTaken) replay = base
    }
    for (const checkpoint of checkpointsAt.get(version) ?? []) {
      const held = await checkCheckpoint(store, checkpoint, replay, findings)
      replay = replay ?? held
    }
    next = version + 1
    if (replay !== undefined && checksums.has(version)) {
      await checkChecksum(store, version, replay, findings)
    }
  }
  return replay ?? emptyReplay()
}

function checkSequence(store: ObjectStore, { commits }: LogListing, findings: Findings): void {
  commits.forEach(({ version }, index) => {
    const before = commits[index - 1]?.version
    if (before === undefined || version === before + 1) return
    findings.add({
      code: 'LOG_GAP',
      severity: 'error',
      where: `${store.location}, version ${before + 1}`,
      what: 'commits are missing in the sequence',
      expected: `version ${before + 1} after ${before}`,
      found: `version ${version}`,
      fix: 'restore the missing commits from a backup; versions before the gap are lost otherwise',
    })
  })
}

async function checkHint(
  store: ObjectStore,
  { checkpoints }: LogListing,
  findings: Findings,
): Promise<void> {
  const hint = (await readHint(store))?.version
  const newest = checkpoints.at(-1)?.version
  if (hint === undefined ? newest === undefined : checkpoints.some((one) => one.version === hint)) {
    return
  }
  findings.add({
    code: 'HINT_WRONG',
    severity: hint === undefined ? 'warning' : 'error',
    where: lastCheckpointPath,
    what:
      hint === undefined
        ? 'is missing or damaged, though there are checkpoints'
        : 'names a checkpoint that is not there, which some readers cannot get over',
    expected: newest === undefined ? 'no hint' : `version ${newest}`,
    found: hint === undefined ? 'no version' : `version ${hint}`,
    fix: newest === undefined ? 'delete the file' : 'write a checkpoint (table.checkpoint())',
  })
}

async function checksumVersions(store: ObjectStore): Promise<ReadonlySet<number>> {
  const objects = await store.list('_delta_log/')
  const names = objects.map(({ path }) => /^_delta_log\/(\d{20})\.crc$/.exec(path)?.[1])
  return new Set(names.filter((digits) => digits !== undefined).map(Number))
}

/** True if the commit could be read; its actions are then part of the replay. */
async function isTakenIn(
  store: ObjectStore,
  replay: LogReplay,
  file: LogListing['commits'][number],
  findings: Findings,
): Promise<boolean> {
  const where = `version ${file.version}`
  try {
    const commit = await readCommit(store, file)
    for (const what of contradictions(commit, file.version, store.location)) {
      const fix = 'engines may read this version differently; rewrite the files concerned'
      findings.add({ code: 'COMMIT_CONTRADICTS', severity: 'error', where, what, fix })
    }
    replayActions(replay, commit, store.location)
    return true
  } catch (cause) {
    findings.add(problemOf(cause, 'COMMIT_UNREADABLE', where))
    return false
  }
}

/** The problem that an error of this package tells of; any other error is passed on. */
function problemOf(
  cause: unknown,
  code: 'COMMIT_UNREADABLE' | 'CHECKPOINT_UNREADABLE',
  where: string,
) {
  if (!(cause instanceof DeltaError)) throw cause
  const { facts } = cause
  return {
    code,
    severity: 'error',
    where: facts.where ?? where,
    what: facts.what,
    ...(facts.expected === undefined ? {} : { expected: facts.expected }),
    ...(facts.found === undefined ? {} : { found: facts.found }),
    fix: facts.fix,
  } as const
}

/** Compares a checkpoint with the replay of the commits before it, where there is one. */
async function checkCheckpoint(
  store: ObjectStore,
  { version, paths }: CheckpointFiles,
  replay: LogReplay | undefined,
  findings: Findings,
): Promise<LogReplay | undefined> {
  findings.looked('checkpoints')
  const held = emptyReplay()
  try {
    replayActions(held, await readCheckpoint(store, paths), store.location)
  } catch (cause) {
    if (!(cause instanceof CheckpointUnreadable)) throw cause
    findings.add(problemOf(cause, 'CHECKPOINT_UNREADABLE', paths[0] ?? ''))
    return undefined
  }
  if (replay === undefined) return held
  const difference = replayDifference(replay, held)
  if (difference === undefined) return held
  findings.add({
    code: 'CHECKPOINT_DIFFERS',
    severity: 'error',
    where: paths[0] ?? `checkpoint of version ${version}`,
    what: 'does not hold what the commits up to its version say',
    ...difference,
    fix: 'delete the checkpoint while all commits before it exist, then write a new one',
  })
  return held
}

function replayDifference(
  log: LogReplay,
  held: LogReplay,
): { readonly expected: string; readonly found: string } | undefined {
  for (const key of log.files.keys()) {
    if (!held.files.has(key)) return { expected: `file ${key}`, found: 'no such file' }
  }
  for (const key of held.files.keys()) {
    if (!log.files.has(key)) return { expected: 'no such file', found: `file ${key}` }
  }
  if (log.sizeBytes !== held.sizeBytes) {
    return { expected: `${log.sizeBytes} bytes`, found: `${held.sizeBytes} bytes` }
  }
  const pairs = [
    ['protocol', log.protocol, held.protocol],
    ['schema', log.metadata?.schemaString, held.metadata?.schemaString],
    ['partition columns', log.metadata?.partitionColumns, held.metadata?.partitionColumns],
    ['properties', log.metadata?.configuration, held.metadata?.configuration],
    ['transactions', [...log.transactions], [...held.transactions]],
  ] as const
  for (const [label, expected, found] of pairs) {
    if (sortedText(expected) === sortedText(found)) continue
    return { expected: `${label} ${sortedText(expected)}`, found: sortedText(found) }
  }
  return undefined
}

/** JSON with keys and lists in order, so that only the content counts. */
function sortedText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedText).toSorted().join(',')}]`
  if (!isRecord(value)) return JSON.stringify(value) ?? 'nothing'
  const entries = Object.entries(value).filter(([, part]) => part !== undefined)
  return `{${entries.map(([key, part]) => `${JSON.stringify(key)}:${sortedText(part)}`).toSorted()}}`
}

async function checkChecksum(
  store: ObjectStore,
  version: number,
  replay: LogReplay,
  findings: Findings,
): Promise<void> {
  findings.looked('checksums')
  const where = checksumPath(version)
  const fix = 'delete the file: readers that validate it refuse the version, and none needs it'
  let text: unknown
  try {
    text = JSON.parse(new TextDecoder().decode(await store.read(where)))
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    const what = 'is not JSON'
    findings.add({ code: 'CHECKSUM_UNREADABLE', severity: 'error', where, what, fix })
    return
  }
  const found = isRecord(text) ? text : {}
  const pairs = [
    ['numFiles', replay.files.size],
    ['tableSizeBytes', replay.sizeBytes],
  ] as const
  for (const [name, expected] of pairs) {
    if (found[name] === expected) continue
    findings.add({
      code: 'CHECKSUM_DIFFERS',
      severity: 'error',
      where,
      what: `${name} is not what the log says`,
      expected: String(expected),
      found: String(found[name]),
      fix,
    })
  }
}
