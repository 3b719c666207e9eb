import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type SegmentHashes, syncDirectory } from './segment-file.ts'

/** What the first link of a partition points back to. */
export const chainRoot = '0'.repeat(64)

/** What a segment held when it was sealed, and the link before it. All hashes are SHA-256 in hex. */
export type ChainLink = {
  readonly startOffset: number
  /** One past the last record. */
  readonly endOffset: number
  readonly sizeBytes: number
  readonly createdAtMs: number
  /** Of the segment's bytes. */
  readonly data: string
  /** Of the side file's bytes. */
  readonly index: string
  /** `hash` of the link before, or `chainRoot`. */
  readonly previous: string
  /** Of all of the above: it stands for this segment and every one before it. */
  readonly hash: string
}

/** The hash a link must have: SHA-256 over its fields in this order, one per line. */
export function linkHash(link: Omit<ChainLink, 'hash'>): string {
  const { startOffset, endOffset, sizeBytes, createdAtMs, data, index, previous } = link
  const text = [startOffset, endOffset, sizeBytes, createdAtMs, data, index, previous].join('\n')
  return createHash('sha256').update(text).digest('hex')
}

export function chainPath(directory: string): string {
  return join(directory, 'chain.ndjson')
}

/** Whole lines of a chain file; a torn last line is left out. None if there is no file. */
export function readChain(directory: string): readonly ChainLink[] {
  let text: string
  try {
    text = readFileSync(chainPath(directory), 'utf8')
  } catch (error) {
    // A log from before there were chains, or one without a sealed segment.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ChainLink)
}

function linesOf(links: readonly ChainLink[]): string {
  return links.map((link) => `${JSON.stringify(link)}\n`).join('')
}

/**
 * The chain of one partition: a line per sealed segment, durable before the next segment exists.
 * Links of segments that have expired stay, so that the chain can be followed from its beginning.
 */
export class SegmentChain {
  readonly #fd: number
  #links: ChainLink[]
  #sizeBytes = 0

  /** Opens the chain and drops links of segments from `activeStart` on: those are open again. */
  constructor(directory: string, activeStart: number) {
    this.#links = readChain(directory).filter(({ startOffset }) => startOffset < activeStart)
    this.#fd = openSync(chainPath(directory), 'a+')
    this.#cutTo(this.#links)
    syncDirectory(directory)
  }

  /** Adds the link of a segment that was just sealed; durable on return. */
  add(
    segment: Pick<ChainLink, 'startOffset' | 'endOffset' | 'sizeBytes' | 'createdAtMs'>,
    hashes: SegmentHashes,
  ): void {
    // A segment whose successor could not be made went on, and is sealed again.
    const before = this.#links.filter(({ startOffset }) => startOffset < segment.startOffset)
    if (before.length < this.#links.length) this.#cutTo(before)
    const { startOffset, endOffset, sizeBytes, createdAtMs } = segment
    const fields = {
      startOffset,
      endOffset,
      sizeBytes,
      createdAtMs,
      data: hashes.data.copy().digest('hex'),
      index: hashes.index.copy().digest('hex'),
      previous: before.at(-1)?.hash ?? chainRoot,
    }
    const link = { ...fields, hash: linkHash(fields) }
    const line = Buffer.from(linesOf([link]))
    try {
      writeSync(this.#fd, line)
      fsyncSync(this.#fd)
    } catch (error) {
      ftruncateSync(this.#fd, this.#sizeBytes)
      throw error
    }
    this.#sizeBytes += line.length
    this.#links.push(link)
  }

  close(): void {
    closeSync(this.#fd)
  }

  #cutTo(links: readonly ChainLink[]): void {
    this.#links = [...links]
    this.#sizeBytes = Buffer.byteLength(linesOf(links))
    ftruncateSync(this.#fd, this.#sizeBytes)
    fsyncSync(this.#fd)
  }
}
