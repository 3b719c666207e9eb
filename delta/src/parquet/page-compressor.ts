import { availableParallelism } from 'node:os'
import type { ZstdCompress } from 'node:zlib'
import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib'

/** A page as it is stored. */
export interface CompressedPage {
  readonly plainBytes: number
  readonly bytes: Uint8Array
}

/** Compresses pages side by side on the runtime's threads. */
export interface PageCompressor {
  /**
   * Takes a page given in parts, which may change as soon as this returns. Waits while as many pages
   * as the machine has cores are under way.
   */
  readonly add: (
    parts: readonly Uint8Array[],
  ) => Promise<{ readonly page: Promise<CompressedPage> }>
  /** Waits for all pages, also the failed ones, and gives the memory back. */
  readonly close: () => Promise<void>
}

/** Zstandard's default: as fast as level 1 on plain numbers, and a third smaller (measured). */
const level = { [constants.ZSTD_c_compressionLevel]: 3 }

/** Pages below this size are not worth the way to another thread. */
const smallPageBytes = 8192

/** First guess of a compressed size; a larger one takes another round. */
const outputBytes = 65_536

/** Memory of a page and the stream that compresses it, both used again for the next page. */
interface Slot {
  buffer: Uint8Array
  readonly stream: ZstdCompress
}

/** A compressor with room for a few pages. */
export function pageCompressor(): PageCompressor {
  const free: Slot[] = []
  const slots: Slot[] = []
  const waiting: (() => void)[] = []
  const underWay = new Set<Promise<unknown>>()

  const takenSlot = async (): Promise<Slot> => {
    while (free.length === 0 && slots.length === availableParallelism()) {
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
    const slot = free.pop() ?? { buffer: new Uint8Array(0), stream: frameStream() }
    if (!slots.includes(slot)) slots.push(slot)
    return slot
  }
  const compressed = async (slot: Slot, size: number): Promise<CompressedPage> => {
    try {
      return { plainBytes: size, bytes: await frame(slot.stream, slot.buffer.subarray(0, size)) }
    } finally {
      free.push(slot)
      waiting.shift()?.()
    }
  }
  return {
    add: async (parts) => {
      const size = parts.reduce((total, part) => total + part.length, 0)
      if (size < smallPageBytes) {
        const bytes = zstdCompressSync(joined(new Uint8Array(size), parts), { params: level })
        return { page: Promise.resolve({ plainBytes: size, bytes }) }
      }
      const slot = await takenSlot()
      if (slot.buffer.length < size) slot.buffer = new Uint8Array(size + 1024)
      joined(slot.buffer, parts)
      const page = compressed(slot, size)
      const ended: Promise<unknown> = Promise.allSettled([page]).then(() => underWay.delete(ended))
      underWay.add(ended)
      return { page }
    },
    close: async () => {
      await Promise.all(underWay)
      for (const { stream } of slots) stream.destroy()
    },
  }
}

function joined(target: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  let at = 0
  for (const part of parts) {
    target.set(part, at)
    at += part.length
  }
  return target
}

/**
 * A stream that makes a whole frame of each write. The runtime's function for a single frame makes a
 * context for each, and the garbage collector runs for their memory: 0.1 s per million rows.
 */
function frameStream(): ZstdCompress {
  const stream = createZstdCompress({
    flush: constants.ZSTD_e_end,
    chunkSize: outputBytes,
    params: level,
  })
  // The write that fails reports it too; without a listener, the event would end the process.
  stream.on('error', () => undefined)
  return stream
}

async function frame(stream: ZstdCompress, bytes: Uint8Array): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  const take = (chunk: Uint8Array) => chunks.push(chunk)
  stream.on('data', take)
  try {
    await new Promise<void>((resolve, reject) => {
      stream.write(bytes, (error) => (error ? reject(error) : resolve()))
    })
    while (stream.readableLength > 0) await new Promise((resolve) => setImmediate(resolve))
  } finally {
    stream.off('data', take)
  }
  return chunks.length === 1 ? (chunks[0] ?? bytes) : Buffer.concat(chunks)
}
