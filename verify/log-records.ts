import { randomBytes } from 'node:crypto'
import type { NewRecord } from 'isotherm/contracts'
import type { SegmentLog } from 'isotherm/log'

const firstMs = Date.UTC(2026, 1, 15)

/** A generator of numbers in [0, 1) that is told its seed, so that a run can be repeated. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A seed from the command line (`--seed=`), or one that nobody has tried. */
export function seedOfRun(): number {
  const given = process.argv.find((word) => word.startsWith('--seed='))?.slice(7)
  return given === undefined ? randomBytes(4).readUInt32LE() : Number(given)
}

/** Record number `n`, the same each time: readable, narrow and refused ones, 50 to 900 bytes. */
export function recordOf(n: number, deviceCount = 40): NewRecord {
  const kind = n % 17
  const text = 'abcdefghij klmnopqrst é "quoted" \\ '.repeat(1 + (n % 23)).slice(0, 20 + (n % 700))
  const payload = new Uint8Array(Buffer.from(JSON.stringify({ n, text })))
  const head = {
    deviceId: `REF-${n % deviceCount}`,
    eventId: `event-${n}`,
    ingestedAtMs: firstMs + n,
    protocol: n % 2 === 0 ? ('mqtt3' as const) : ('https' as const),
    ...(n % 3 === 0 && { messageId: `m-${n} ü` }),
  }
  if (kind === 16) {
    const body = { kind: 'refused', reason: 'INVALID_JSON', detail: `at ${n}`, payload } as const
    return { ...head, body }
  }
  const format = kind === 15 ? 'narrow' : 'wide'
  return { ...head, body: { kind: 'readable', format, deviceTimeMs: firstMs - n, payload } }
}

/** What a record says, as text that can be compared. */
export function contentOf({ deviceId, eventId, ingestedAtMs, messageId, body }: NewRecord): string {
  const payload = Buffer.from(body.payload).toString('latin1')
  return JSON.stringify({ deviceId, eventId, ingestedAtMs, messageId, ...body, payload })
}

/** Every record of a partition from an offset on, with its offset. */
export async function storedRecords(
  log: SegmentLog,
  fromOffset: number,
): Promise<readonly (NewRecord & { readonly offset: number })[]> {
  const { endOffset } = log.bounds(0)
  const found: (NewRecord & { readonly offset: number })[] = []
  if (fromOffset >= endOffset) return found
  for await (const records of log.follow(0, fromOffset, new AbortController().signal)) {
    found.push(...records)
    if (found.length >= endOffset - fromOffset) break
  }
  return found
}
