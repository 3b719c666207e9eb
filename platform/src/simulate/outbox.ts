import type { SimulatedMessage } from '../contracts/index.ts'

/** Where messages go: one device's connection, or a collector's. */
export type Link = {
  /** Messages that one `send` takes at most. */
  readonly batchSize: number
  /** Resolves when the gateway has acknowledged all; rejects when told to stop or refused. */
  readonly send: (messages: readonly SimulatedMessage[]) => Promise<void>
  readonly close: () => Promise<void>
}

/** What became of the messages of a live run. */
export type SendCounts = {
  /** Acknowledged by the gateway. */
  readonly sentCount: number
  /** Given up because the buffer was full, oldest first. */
  readonly droppedCount: number
  /** Waiting or on their way. */
  readonly waitingCount: number
}

/** Messages waiting for a link: bounded, oldest dropped first, sent in order (ING-13). */
export type Outbox = {
  readonly add: (message: SimulatedMessage) => void
  readonly counts: () => SendCounts
  readonly close: () => Promise<void>
}

/**
 * A buffer of at most `capacity` messages in front of a link.
 * @param onFailure told once when the link rejects; the box then sends nothing more
 */
export function createOutbox(
  link: Link,
  capacity: number,
  onFailure: (error: unknown) => void,
): Outbox {
  let queue: SimulatedMessage[] = []
  let underWay = 0
  let sentCount = 0
  let droppedCount = 0
  let isBusy = false
  let hasFailed = false

  async function drain(): Promise<void> {
    try {
      while (queue.length > 0) {
        const batch = queue.slice(0, link.batchSize)
        queue = queue.slice(batch.length)
        underWay = batch.length
        await link.send(batch)
        sentCount += batch.length
        underWay = 0
      }
    } catch (error) {
      hasFailed = true
      onFailure(error)
    } finally {
      isBusy = false
    }
  }

  function add(message: SimulatedMessage): void {
    queue.push(message)
    if (queue.length > capacity) {
      queue.shift()
      droppedCount += 1
    }
    if (isBusy || hasFailed) return
    isBusy = true
    void drain()
  }
  return {
    add,
    counts: () => ({ sentCount, droppedCount, waitingCount: queue.length + underWay }),
    close: () => link.close(),
  }
}
