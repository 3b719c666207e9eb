import { setImmediate as nextTurn } from 'node:timers/promises'
import { DuplicateWindow } from '../gateway/index.ts'
import { recordsBetween } from '../log/index.ts'

/** Messages a device may send again right after a restart are this young. */
const newestMs = 15 * 60_000

/** What a gateway remembers of the time before its start. */
export type RecentMessages = {
  readonly window: DuplicateWindow
  /** Settles when the whole window has been read. */
  readonly whole: Promise<void>
}

/**
 * Reads from the log which messages are stored, so that repeats are known after a restart too. The
 * newest are there when this resolves; older ones follow in the background, and a repeat of one
 * that is not read yet is stored again and removed at cleansing.
 */
export async function rememberRecent(options: {
  readonly logDirectory: string
  readonly nowMs: number
  /** Default 24 h. */
  readonly windowMs?: number
  /** Ids kept at most; default 24 million, 512 MB. */
  readonly maxIds?: number
  /** Ends the reading in the background. */
  readonly signal: AbortSignal
}): Promise<RecentMessages> {
  const { logDirectory, nowMs, signal, windowMs = 86_400_000, maxIds = 24_000_000 } = options
  const window = new DuplicateWindow({ windowMs, maxIds })
  const read = async (fromMs: number, untilMs: number): Promise<void> => {
    for await (const records of recordsBetween(logDirectory, { fromMs, untilMs })) {
      if (signal.aborted || window.idCount >= maxIds) return
      for (const { body, protocol, eventId, ingestedAtMs } of records) {
        // What no gateway would call a repeat must not drive out what it would.
        if (body.kind !== 'readable' || protocol === 'import') continue
        window.add(eventId, ingestedAtMs)
      }
      // Between two chunks the gateway gets its turn.
      await nextTurn()
    }
  }
  await read(nowMs - newestMs, Number.POSITIVE_INFINITY)
  return { window, whole: read(nowMs - windowMs, nowMs - newestMs) }
}
