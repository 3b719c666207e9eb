import { InvalidCommit } from '../errors.ts'
import type { Host } from '../host.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { actionLines } from './action-json.ts'
import type { Commit } from './actions.ts'
import type { CommitOutcome, CommitRequest } from './commit-request.ts'
import { actionsOf, checkRequest, planOf } from './commit-request.ts'
import type { CommitConflict, CommitPlan } from './conflict.ts'
import { conflictBetween } from './conflict.ts'
import { commitPath } from './log-names.ts'
import { contiguous, listLog, readCommits } from './log-reader.ts'
import type { LogState } from './replay.ts'
import { advance, snapshotOf } from './replay.ts'
import { checkWritable } from './writable.ts'

/** Races lost before a writer gives up; each lost race is another writer's progress. */
const maxAttempts = 1000

const engineInfo = 'isotherm-delta/0.1.0'

/** The commit that was made, if one was, and the state after the last look at the log. */
export interface LoopResult {
  readonly outcome: CommitOutcome
  readonly state: LogState
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
    if (obstacle !== undefined) return { outcome: obstacle, state }
    checkedVersion = state.version
    const repeated = repeatedTransaction(request, state, table)
    if (repeated !== undefined) return { outcome: repeated, state }
    checkRemovesAreLive(plan, state, table)
    const commit = nextCommit(request, state, { readVersion, txnId, nowMs: host.nowMs() })
    const { version, timestampMs } = commit
    const bytes = new TextEncoder().encode(`${actionLines(commit).join('\n')}\n`)
    if (await store.putIfAbsent(commitPath(version), bytes, { modifiedMs: timestampMs })) {
      state = advance(state, [commit], table)
      return { outcome: { kind: 'committed', version, timestampMs }, state }
    }
    state = await refresh()
  }
  const message = `${table}: lost ${maxAttempts} races for the next version; write less often`
  const version = state.version
  return { outcome: { kind: 'conflict', reason: 'TooManyAttempts', version, message }, state }
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
  const { commits } = await listLog(store, checkedVersion + 1)
  const files = contiguous(store, commits, checkedVersion + 1, state.version)
  for (const winner of await readCommits(store, files)) {
    const { version, timestampMs } = winner
    if (winner.commitInfo?.txnId === txnId) return { kind: 'committed', version, timestampMs }
    const conflict = conflictBetween(plan, winner, store.location)
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
  const actions = actionsOf(request, { readVersion, timestampMs, txnId, engineInfo })
  return { ...actions, version: state.version + 1, timestampMs }
}
