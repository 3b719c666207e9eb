import { InvalidCommit } from '../errors.ts'
import type { Host } from '../host.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { actionLines } from './action-json.ts'
import type { Commit, Metadata } from './actions.ts'
import type { CommitOutcome, CommitRequest } from './commit-request.ts'
import { actionsOf, checkRequest, planOf } from './commit-request.ts'
import type { CommitConflict, CommitPlan } from './conflict.ts'
import { conflictBetween } from './conflict.ts'
import { commitPath } from './log-names.ts'
import { readCommits } from './log-reader.ts'
import type { LogState } from './replay.ts'
import { advance, snapshotOf } from './replay.ts'
import { hasInCommitTimestamps } from './table-features.ts'
import { checkWritable } from './writable.ts'

/** Races lost before a writer gives up; each lost race is another writer's progress. */
const maxAttempts = 1000

const engineInfo = 'isotherm-delta/0.1.0'

/** The commit that was made, if one was, and the state after the last look at the log. */
export interface LoopResult {
  readonly outcome: CommitOutcome
  readonly state: LogState
  /** The id that marks the commit as ours. */
  readonly txnId: string
}

/**
 * Commits by put-if-absent: check what landed since the read version, write the next version, and
 * when that is taken, look again. A commit that carries our own id is ours: the answer was lost.
 * @param refresh the newest state of the table
 * @throws InvalidCommit, TableNotWritable
 */
export async function commitLoop(
  store: ObjectStore,
  host: Host,
  request: CommitRequest,
  refresh: () => Promise<LogState>,
): Promise<LoopResult> {
  const table = store.location
  const txnId = host.uuid()
  const plan = planOf(request, table)
  let state = await refresh()
  const readVersion = request.readVersion ?? state.version
  const snapshot = snapshotOf(state, table)
  checkWritable(snapshot.protocol, snapshot.metadata, snapshot.schema, table, {
    deletesRows: (request.removes ?? []).length > 0 && plan.dataChange,
  })
  checkRequest(request, state, snapshot, table)
  let checkedVersion = readVersion
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const obstacle = await newObstacle(store, plan, checkedVersion, state, txnId)
    if (obstacle !== undefined) return { outcome: obstacle, state, txnId }
    checkedVersion = state.version
    const repeated = repeatedTransaction(request, state, table)
    if (repeated !== undefined) return { outcome: repeated, state, txnId }
    checkRemovesAreLive(plan, state, table)
    const commit = nextCommit(request, state, { readVersion, txnId, nowMs: host.nowMs() })
    const { version, timestampMs } = commit
    const put = await putCommit(store, commit)
    if (put === true) {
      state = advance(state, [commit], table)
      return { outcome: { kind: 'committed', version, timestampMs }, state, txnId }
    }
    state = await refresh()
    // After an error the commit may have landed all the same: then the log has it by now, with our id.
    if (put !== false && state.version < version) throw put.error
  }
  const message = `${table}: lost ${maxAttempts} races for the next version; write less often`
  const version = state.version
  return {
    outcome: { kind: 'conflict', reason: 'TooManyAttempts', version, message },
    state,
    txnId,
  }
}

/** True if the commit is in the log, false if its version is taken, else why neither is known. */
async function putCommit(
  store: ObjectStore,
  commit: Commit,
): Promise<boolean | { readonly error: unknown }> {
  const bytes = new TextEncoder().encode(`${actionLines(commit).join('\n')}\n`)
  const options = { modifiedMs: commit.timestampMs }
  try {
    return await store.putIfAbsent(commitPath(commit.version), bytes, options)
  } catch (error) {
    return { error }
  }
}

/** The first commit since `checkedVersion` that ends the loop: our own, or one in conflict. */
async function newObstacle(
  store: ObjectStore,
  plan: CommitPlan,
  checkedVersion: number,
  state: LogState,
  txnId: string,
): Promise<CommitOutcome | undefined> {
  if (checkedVersion >= state.version) return undefined
  // The state was replayed from these commits, so they are there and need no listing.
  const { timestampMs: newestMs } = state
  const files = Array.from({ length: state.version - checkedVersion }, (_, index) => ({
    version: checkedVersion + 1 + index,
    timestampMs: newestMs,
  }))
  const isSerializable = state.metadata?.configuration['delta.isolationLevel'] === 'Serializable'
  for (const winner of await readCommits(store, files)) {
    const { version, commitInfo } = winner
    if (commitInfo?.txnId === txnId) {
      return { kind: 'committed', version, timestampMs: commitInfo.timestamp ?? newestMs }
    }
    const conflict = conflictBetween(plan, winner, store.location, isSerializable)
    if (conflict !== undefined) return conflict
  }
  return undefined
}

function repeatedTransaction(
  request: CommitRequest,
  state: LogState,
  table: string,
): CommitConflict | undefined {
  for (const { appId, version } of request.transactions ?? []) {
    const done = state.transactions.get(appId)?.version
    if (done !== undefined && done >= version) {
      const message = `${table}: transaction ${appId} is at ${done} already, ${version} adds nothing`
      return { kind: 'conflict', reason: 'ConcurrentTransaction', version: state.version, message }
    }
  }
  return undefined
}

function checkRemovesAreLive(plan: CommitPlan, state: LogState, table: string): void {
  for (const key of plan.removedKeys) {
    if (state.files.has(key)) continue
    throw new InvalidCommit({
      table,
      where: `file ${key}`,
      what: `to be removed, but not part of version ${state.version}`,
      fix: 'remove files of a snapshot, and pass its version as readVersion',
    })
  }
}

function nextCommit(
  request: CommitRequest,
  state: LogState,
  {
    readVersion,
    txnId,
    nowMs,
  }: { readonly readVersion: number; readonly txnId: string; readonly nowMs: number },
): Commit {
  const timestampMs = Math.max(request.timestampMs ?? nowMs, state.timestampMs + 1)
  const version = state.version + 1
  const metadata = withEnablement(request.metadata, state.metadata, version, timestampMs)
  const configuration = (metadata ?? state.metadata)?.configuration ?? {}
  const actions = actionsOf(
    { ...request, ...(metadata === undefined ? {} : { metadata }) },
    {
      readVersion,
      timestampMs,
      txnId,
      engineInfo,
      isInCommit: hasInCommitTimestamps(configuration),
    },
  )
  return { ...actions, version, timestampMs }
}

/** Where times move into the commits of a table that has some, readers must know from which one on. */
function withEnablement(
  metadata: Metadata | undefined,
  before: Metadata | undefined,
  version: number,
  timestampMs: number,
): Metadata | undefined {
  if (metadata === undefined || !hasInCommitTimestamps(metadata.configuration)) return metadata
  if (hasInCommitTimestamps(before?.configuration ?? {})) return metadata
  const configuration = {
    ...metadata.configuration,
    'delta.inCommitTimestampEnablementVersion': String(version),
    'delta.inCommitTimestampEnablementTimestamp': String(timestampMs),
  }
  return { ...metadata, configuration }
}
