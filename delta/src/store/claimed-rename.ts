import { open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { CommitBlocked } from '../errors.ts'
import type { Host } from '../host.ts'
import { isRecord } from '../schema/schema.ts'

/** Who may put a file in place; on disk as JSON. */
interface Claim {
  readonly machine: string
  readonly pid: number
  readonly token: string
}

/** How a claim is held. */
type Holder =
  | { readonly kind: 'gone' }
  | { readonly kind: 'dead' }
  | { readonly kind: 'alive'; readonly claim: Claim | undefined }

/** Waits of 5 ms before a claim that does not go away is an error: 30 s. */
const maxWaits = 6000

/** A claim lasts milliseconds; one of our own process number that is older was left by another run. */
const ownClaimMs = 60_000

const tokensOfThisProcess = new Set<string>()

/**
 * Puts a synced temporary file in place unless the name is taken, on file systems without hard links.
 * A claim, made by exclusive creation, decides who may; its holder looks once more and renames. The
 * file appears whole or not at all. Among processes of one machine exactly one wins, and the claim of a
 * process that died is passed over. A claim that another machine left must be deleted by hand.
 * Writers that use hard links on the same folder are not seen: all must use the same way.
 * @returns false if the name was taken
 * @throws CommitBlocked after 30 s
 */
export async function claimedRename(
  temporary: string,
  file: string,
  { host, claimPrefix }: { readonly host: Host; readonly claimPrefix: string },
): Promise<boolean> {
  const claimPath = (rank: number) => join(dirname(file), `${claimPrefix}${basename(file)}.${rank}`)
  let rank = 0
  for (let waits = 0; waits < maxWaits; ) {
    if (await exists(file)) return false
    const token = await newClaim(claimPath(rank), host)
    if (token !== undefined) return await renamedAs(token, temporary, file, rank, claimPath)
    const holder = await holderOf(claimPath(rank), host)
    if (holder.kind === 'gone') rank = 0
    // The dead never come back, so whoever makes the claim above theirs is the only one.
    else if (holder.kind === 'dead') rank++
    else {
      waits++
      await pause(5)
    }
  }
  throw new CommitBlocked({
    table: dirname(file),
    where: `file ${basename(file)}`,
    what: 'another writer has claimed this name and neither writes it nor gives it up',
    found: await readFile(claimPath(rank), 'utf8').catch(() => 'a claim that does not open'),
    fix: `if that writer is gone, delete ${claimPath(rank)}`,
  })
}

async function renamedAs(
  token: string,
  temporary: string,
  file: string,
  rank: number,
  claimPath: (rank: number) => string,
): Promise<boolean> {
  let isThere = false
  try {
    isThere = await exists(file)
    if (isThere) return false
    await rename(temporary, file)
    isThere = true
    return true
  } finally {
    tokensOfThisProcess.delete(token)
    // Without the file, the claims below must stay: their absence would let two writers pass.
    for (let own = rank; own >= (isThere ? 0 : rank); own--) await removed(claimPath(own))
  }
}

/** The token of a new claim, or undefined if there is one already. */
async function newClaim(path: string, host: Host): Promise<string | undefined> {
  const token = host.uuid()
  try {
    const handle = await open(path, 'wx')
    tokensOfThisProcess.add(token)
    try {
      const claim: Claim = { machine: hostname(), pid: process.pid, token }
      await handle.writeFile(JSON.stringify(claim))
    } finally {
      await handle.close()
    }
    return token
  } catch (cause) {
    if (hasCode(cause, 'EEXIST')) return undefined
    throw cause
  }
}

async function holderOf(path: string, host: Host): Promise<Holder> {
  let text: string
  let ageMs: number
  try {
    text = await readFile(path, 'utf8')
    ageMs = host.nowMs() - (await stat(path)).mtimeMs
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return { kind: 'gone' }
    throw cause
  }
  const claim = parsed(text)
  // A claim without content is being written, unless its writer died within that moment.
  if (claim === undefined) return ageMs > ownClaimMs ? { kind: 'dead' } : { kind: 'alive', claim }
  if (claim.machine !== hostname()) return { kind: 'alive', claim }
  const isOurNumber = claim.pid === process.pid
  if (isOurNumber && !tokensOfThisProcess.has(claim.token) && ageMs > ownClaimMs) {
    return { kind: 'dead' }
  }
  return isOurNumber || isRunning(claim.pid) ? { kind: 'alive', claim } : { kind: 'dead' }
}

function parsed(text: string): Claim | undefined {
  try {
    const json: unknown = JSON.parse(text)
    if (!isRecord(json)) return undefined
    const { machine, pid, token } = json
    if (typeof machine !== 'string' || typeof pid !== 'number') return undefined
    return typeof token === 'string' ? { machine, pid, token } : undefined
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined
    throw cause
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    // A process of another user exists although it cannot be signalled.
    return !hasCode(cause, 'ESRCH')
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file)
    return true
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return false
    throw cause
  }
}

async function removed(file: string): Promise<void> {
  try {
    await unlink(file)
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT')) throw cause
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
