import type { NewRecord } from './log-record.ts'

/** Why a message was turned away at the door without becoming a record. */
export type DoorRefusal = 'OVER_RATE' | 'LOG_UNAVAILABLE'

/** Messages that came in and made no record: repeats, and what was turned away. */
export type DoorNote = {
  /** Empty when the sender is no single device. */
  readonly deviceId: string
  readonly atMs: number
  readonly kind: 'DUPLICATE' | DoorRefusal
  readonly count: number
}

/** What the gateway tells of every message it has dealt with, so that the books balance. */
export type DoorBooks = {
  /** Records that have become durable; called in the turn in which the log said so. */
  readonly stored: (records: readonly NewRecord[]) => void
  /**
   * Resolves when the notes survive a crash: only then a repeat is acknowledged.
   * @throws IsothermError DISK_FULL; the message is then not answered
   */
  readonly note: (notes: readonly DoorNote[]) => Promise<void>
}
