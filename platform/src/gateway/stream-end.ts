import type { Duplex } from 'node:stream'

/** How long a peer may take to close its side. */
const lingerMs = 1_000

/** Ends a stream with a last packet, if there is one; a peer that stays is cut off. */
export function endStream(stream: Duplex, lastPacket: Buffer | undefined): void {
  if (lastPacket === undefined) stream.end()
  else stream.end(lastPacket)
  setTimeout(() => stream.destroy(), lingerMs).unref()
}
