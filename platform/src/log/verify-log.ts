import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type ChainLink, chainPath, chainRoot, linkHash, readChain } from './segment-chain.ts'
import { segmentFaults } from './segment-faults.ts'
import { listSegments, segmentPaths } from './segment-file.ts'

/** One thing that is not as it was written. */
export type LogFault = {
  /** File concerned. */
  readonly path: string
  /** Offset of the record, where one can be named. */
  readonly record?: number
  readonly found: string
}

/** What a check of a whole log found. */
export type LogVerification = {
  readonly segmentCount: number
  readonly recordCount: number
  readonly sizeBytes: number
  /** Sealed segments from before there was a chain; their records are checked by CRC only. */
  readonly unchainedCount: number
  /** Newest link of each partition: keep it elsewhere, and nothing before it can be rewritten. */
  readonly heads: readonly string[]
  readonly faults: readonly LogFault[]
}

/** What `verifyLog` may be told. */
export type VerifyOptions = {
  /** A head that was kept elsewhere: it must be in one of the chains. */
  readonly expectedHead?: string
  readonly onProgress?: (doneBytes: number) => void
}

/**
 * Reads a whole log and compares it with its CRCs and its chain of hashes. Changes nothing; may run
 * beside the process that appends.
 * @returns faults, each naming the file and, where bytes of one record changed, the record
 * Cost: reads every byte of the log once.
 */
export async function verifyLog(
  directory: string,
  { expectedHead, onProgress }: VerifyOptions = {},
): Promise<LogVerification> {
  const names = await readdir(directory)
  const partitions = names
    .filter((name) => /^p\d+$/.test(name))
    .sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)))
  const total = { segmentCount: 0, recordCount: 0, sizeBytes: 0, unchainedCount: 0 }
  const faults: LogFault[] = []
  const heads: string[] = []
  const hashes = new Set<string>()
  for (const name of partitions) {
    const folder = join(directory, name)
    const links = chainOf(folder, faults)
    heads.push(links.at(-1)?.hash ?? chainRoot)
    for (const { hash } of links) hashes.add(hash)
    const starts = listSegments(folder)
    faults.push(...missingSegments(folder, starts, links))
    for (const [i, startOffset] of starts.entries()) {
      const link = links.find((candidate) => candidate.startOffset === startOffset)
      const nextOffset = starts[i + 1]
      const checked = await segmentFaults(folder, startOffset, nextOffset, link)
      faults.push(...checked.faults)
      total.segmentCount++
      total.recordCount += checked.recordCount
      total.sizeBytes += checked.sizeBytes
      if (link === undefined && nextOffset !== undefined) total.unchainedCount++
      onProgress?.(total.sizeBytes)
    }
  }
  if (expectedHead !== undefined && !hashes.has(expectedHead)) {
    const found = `no link has the hash ${expectedHead}: this log is not the one it was taken from`
    faults.push({ path: directory, found })
  }
  return { ...total, heads, faults }
}

/** The links, with a fault for each that contradicts itself or the one before it. */
function chainOf(folder: string, faults: LogFault[]): readonly ChainLink[] {
  const path = chainPath(folder)
  let links: readonly ChainLink[]
  try {
    links = readChain(folder)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    faults.push({ path, found: `a line is no link: ${reason}` })
    return []
  }
  for (const [i, link] of links.entries()) {
    const before = links[i - 1]
    const isNext = before === undefined || before.endOffset === link.startOffset
    if (linkHash(link) !== link.hash || link.previous !== (before?.hash ?? chainRoot) || !isNext) {
      const found = `the link of segment ${link.startOffset} does not follow from the one before`
      faults.push({ path, found })
    }
  }
  return links
}

/** What chain and folder do not agree about, besides segments that have expired. */
function missingSegments(
  folder: string,
  starts: readonly number[],
  links: readonly ChainLink[],
): readonly LogFault[] {
  const first = starts[0] ?? Number.POSITIVE_INFINITY
  const firstLink = links[0]?.startOffset ?? Number.POSITIVE_INFINITY
  const lost = links
    .filter(({ startOffset }) => startOffset > first && !starts.includes(startOffset))
    .map(({ startOffset, endOffset }) => ({
      path: segmentPaths(folder, startOffset).path,
      found: `it is missing, with records [${startOffset}, ${endOffset})`,
    }))
  const unlinked = starts
    .slice(0, -1)
    .filter((start) => start > firstLink && links.every(({ startOffset }) => startOffset !== start))
    .map((start) => ({
      path: segmentPaths(folder, start).path,
      found: 'the chain has no link for it, although it has for earlier segments',
    }))
  return [...lost, ...unlinked]
}
