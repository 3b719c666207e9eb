import { randomUUID } from 'node:crypto'
import type {
  CloudMessage,
  CloudMessages,
  FeedbackRecord,
  LockedMessage,
  NewCloudMessage,
  Settlement,
} from '../contracts/index.ts'
import { checkCloudMessage, cloudMessageLimits } from './cloud-message-rules.ts'
import { createListeners } from './listeners.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { raiseCount, type StateDatabase } from './state-database.ts'

/** A feedback record with its place in the list. */
export type FeedbackEntry = FeedbackRecord & { readonly feedbackId: number; readonly at: string }

/** Messages to devices, and what became of those whose sender asked. */
export type CloudQueues = CloudMessages & {
  /** Messages that wait for a device, oldest first, without their payloads. */
  readonly pending: (deviceId: string) => Promise<readonly Omit<CloudMessage, 'payload'>[]>
  /** Throws away what waits for a device; returns how many messages. */
  readonly purge: (deviceId: string) => Promise<number>
  /** Takes expired messages out of all queues; returns how many. */
  readonly expire: () => Promise<number>
  /** Feedback of the last two days after a record, at most 1,000. */
  readonly feedbackAfter: (feedbackId: number) => Promise<readonly FeedbackEntry[]>
}

type Body = Omit<CloudMessage, 'payload' | 'sequenceNumber' | 'deliveryCount'>

type Row = {
  readonly sequence: number
  readonly device_id: string
  readonly delivery_count: number
  readonly abandon_count: number
  readonly body: string
}

type Lock = { readonly token: string; readonly untilMs: number }

const sequenceName = 'cloud_messages'
const feedbackKeptMs = 172_800_000
const feedbackPage = 1_000

const messageOf = (row: Row & { readonly payload: Uint8Array }): CloudMessage => ({
  ...(JSON.parse(row.body) as Body),
  payload: row.payload,
  sequenceNumber: row.sequence,
  deliveryCount: row.delivery_count,
})

const descriptions = {
  Success: 'the device completed the message',
  Expired: 'the message expired before a device completed it',
  DeliveryCountExceeded: 'the device gave the message back too often',
  Rejected: 'the device rejected the message',
  Purged: 'the queue of the device was purged',
} as const

function wantsFeedback(ack: CloudMessage['ack'], status: FeedbackRecord['statusCode']): boolean {
  return ack === 'full' || ack === (status === 'Success' ? 'positive' : 'negative')
}

/** Takes a message out of its queue and says so to a sender who asked. */
async function finish(
  database: StateDatabase,
  row: Row,
  statusCode: FeedbackRecord['statusCode'],
  nowMs: number,
): Promise<void> {
  const { ack, messageId, enqueuedAtMs } = JSON.parse(row.body) as Body
  await database.deleteFrom('cloud_messages').where('sequence', '=', row.sequence).execute()
  if (!wantsFeedback(ack, statusCode)) return
  const record: FeedbackRecord = {
    originalMessageId: messageId,
    deviceId: row.device_id,
    statusCode,
    description: descriptions[statusCode],
    enqueuedTimeUtc: new Date(enqueuedAtMs).toISOString(),
  }
  await database
    .insertInto('message_feedback')
    .values({ at: nowMs, body: JSON.stringify(record) })
    .execute()
}

function newBody(message: NewCloudMessage, nowMs: number): Body {
  const { payload: _payload, timeToLiveMs = cloudMessageLimits.defaultTimeToLiveMs } = message
  const { correlationId, userId, contentType, contentEncoding } = message
  return {
    messageId: message.messageId ?? randomUUID(),
    ...(correlationId !== undefined && { correlationId }),
    ...(userId !== undefined && { userId }),
    ...(contentType !== undefined && { contentType }),
    ...(contentEncoding !== undefined && { contentEncoding }),
    properties: message.properties ?? {},
    ack: message.ack ?? 'none',
    enqueuedAtMs: nowMs,
    expiresAtMs: nowMs + timeToLiveMs,
  }
}

/** Sequence number in a lock token, which begins with it. */
function sequenceIn(lockToken: string): number {
  return Number.parseInt(lockToken, 10)
}

/** The queues over their table. Locks are in memory: a restart hands everything out again. */
class Queues implements CloudQueues {
  readonly #database: StateDatabase
  readonly #clock: () => number
  readonly #inTurn = oneAtATime()
  readonly #queued = createListeners<string>()
  readonly #locks = new Map<number, Lock>()
  readonly #counts: Map<string, number>

  constructor(database: StateDatabase, clock: () => number, counts: Map<string, number>) {
    this.#database = database
    this.#clock = clock
    this.#counts = counts
  }

  readonly onQueued = this.#queued.add

  async enqueue(deviceId: string, message: NewCloudMessage) {
    checkCloudMessage(message)
    return this.#inTurn(() => this.#enqueue(deviceId, message))
  }

  hasPending(deviceId: string): boolean {
    return this.#counts.has(deviceId)
  }

  take(deviceId: string, options: { readonly count: number; readonly lockMs: number }) {
    return this.#inTurn(() => this.#take(deviceId, options))
  }

  settle(deviceId: string, lockToken: string, how: Settlement): Promise<boolean> {
    return this.#inTurn(() => this.#settle(deviceId, lockToken, how))
  }

  release(deviceId: string, lockTokens: readonly string[]): void {
    for (const token of lockTokens) {
      const sequence = sequenceIn(token)
      if (this.#locks.get(sequence)?.token === token) this.#locks.delete(sequence)
    }
    if (lockTokens.length > 0) this.#queued.tell(deviceId)
  }

  async pending(deviceId: string): Promise<readonly Omit<CloudMessage, 'payload'>[]> {
    const rows = await this.#database
      .selectFrom('cloud_messages')
      .select(['sequence', 'delivery_count', 'body'])
      .where('device_id', '=', deviceId)
      .where('expires_at', '>', this.#clock())
      .orderBy('sequence')
      .execute()
    return rows.map((row) => ({
      ...(JSON.parse(row.body) as Body),
      sequenceNumber: row.sequence,
      deliveryCount: row.delivery_count,
    }))
  }

  purge(deviceId: string): Promise<number> {
    return this.#inTurn(async () => {
      const all = await this.#database
        .selectFrom('cloud_messages')
        .selectAll()
        .where('device_id', '=', deviceId)
        .execute()
      await this.#finish(all, 'Purged')
      return all.length
    })
  }

  expire(): Promise<number> {
    return this.#inTurn(async () => {
      const count = await this.#expire()
      await this.#database
        .deleteFrom('message_feedback')
        .where('at', '<=', this.#clock() - feedbackKeptMs)
        .execute()
      return count
    })
  }

  async feedbackAfter(feedbackId: number): Promise<readonly FeedbackEntry[]> {
    const rows = await this.#database
      .selectFrom('message_feedback')
      .selectAll()
      .where('feedback_id', '>', feedbackId)
      .orderBy('feedback_id')
      .limit(feedbackPage)
      .execute()
    return rows.map((row) => ({
      ...(JSON.parse(row.body) as FeedbackRecord),
      feedbackId: row.feedback_id,
      at: new Date(row.at).toISOString(),
    }))
  }

  async #enqueue(deviceId: string, message: NewCloudMessage) {
    await this.#expire(deviceId)
    const pendingCount = this.#counts.get(deviceId) ?? 0
    if (pendingCount >= cloudMessageLimits.pendingCount) {
      return { kind: 'full', pendingCount } as const
    }
    const body = newBody(message, this.#clock())
    const { payload } = message
    const sequenceNumber = await this.#database.transaction().execute(async (transaction) => {
      const sequence = await raiseCount(transaction, sequenceName)
      await transaction
        .insertInto('cloud_messages')
        .values({
          sequence,
          device_id: deviceId,
          expires_at: body.expiresAtMs,
          delivery_count: 0,
          abandon_count: 0,
          body: JSON.stringify(body),
          payload,
        })
        .execute()
      return sequence
    })
    this.#counts.set(deviceId, pendingCount + 1)
    this.#queued.tell(deviceId)
    return {
      kind: 'queued',
      message: { ...body, payload, sequenceNumber, deliveryCount: 0 },
    } as const
  }

  async #take(
    deviceId: string,
    { count, lockMs }: { readonly count: number; readonly lockMs: number },
  ): Promise<readonly LockedMessage[]> {
    await this.#expire(deviceId)
    const nowMs = this.#clock()
    const waiting = await this.#database
      .selectFrom('cloud_messages')
      .select('sequence')
      .where('device_id', '=', deviceId)
      .orderBy('sequence')
      .execute()
    const sequences = waiting
      .map(({ sequence }) => sequence)
      .filter((sequence) => (this.#locks.get(sequence)?.untilMs ?? nowMs) <= nowMs)
      .slice(0, count)
    if (sequences.length === 0) return []
    const found = await this.#database
      .selectFrom('cloud_messages')
      .selectAll()
      .where('sequence', 'in', sequences)
      .orderBy('sequence')
      .execute()
    await this.#database
      .updateTable('cloud_messages')
      .set((builder) => ({ delivery_count: builder('delivery_count', '+', 1) }))
      .where('sequence', 'in', sequences)
      .execute()
    return found.map((row) => {
      const lockToken = `${row.sequence}-${randomUUID()}`
      this.#locks.set(row.sequence, { token: lockToken, untilMs: nowMs + lockMs })
      return { ...messageOf(row), lockToken }
    })
  }

  async #settle(deviceId: string, lockToken: string, how: Settlement): Promise<boolean> {
    const sequence = sequenceIn(lockToken)
    const lock = this.#locks.get(sequence)
    if (lock?.token !== lockToken || lock.untilMs <= this.#clock()) return false
    const row = await this.#database
      .selectFrom('cloud_messages')
      .selectAll()
      .where('sequence', '=', sequence)
      .where('device_id', '=', deviceId)
      .executeTakeFirst()
    if (row === undefined) return false
    const isLast = row.abandon_count + 1 >= cloudMessageLimits.abandonCount
    if (how === 'complete') await this.#finish([row], 'Success')
    else if (how === 'reject') await this.#finish([row], 'Rejected')
    else if (isLast) await this.#finish([row], 'DeliveryCountExceeded')
    else {
      await this.#database
        .updateTable('cloud_messages')
        .set({ abandon_count: row.abandon_count + 1 })
        .where('sequence', '=', sequence)
        .execute()
      this.#locks.delete(sequence)
      this.#queued.tell(deviceId)
    }
    return true
  }

  /** Takes expired messages of one device, or of all, out of their queues. */
  async #expire(deviceId?: string): Promise<number> {
    if (deviceId !== undefined && !this.#counts.has(deviceId)) return 0
    const old = this.#database
      .selectFrom('cloud_messages')
      .selectAll()
      .where('expires_at', '<=', this.#clock())
    const rows = await (deviceId === undefined ? old : old.where('device_id', '=', deviceId))
      .orderBy('sequence')
      .execute()
    await this.#finish(rows, 'Expired')
    return rows.length
  }

  async #finish(rows: readonly Row[], statusCode: FeedbackRecord['statusCode']): Promise<void> {
    if (rows.length === 0) return
    const nowMs = this.#clock()
    await this.#database.transaction().execute(async (transaction) => {
      for (const row of rows) await finish(transaction, row, statusCode, nowMs)
    })
    for (const { sequence, device_id: deviceId } of rows) {
      this.#locks.delete(sequence)
      const left = (this.#counts.get(deviceId) ?? 1) - 1
      if (left > 0) this.#counts.set(deviceId, left)
      else this.#counts.delete(deviceId)
    }
  }
}

/** Opens the queues of messages to devices. */
export async function openCloudQueues(
  database: StateDatabase,
  clock: () => number,
): Promise<CloudQueues> {
  const rows = await database
    .selectFrom('cloud_messages')
    .select((builder) => ['device_id', builder.fn.countAll<number>().as('count')])
    .groupBy('device_id')
    .execute()
  const counts = new Map(rows.map((row) => [row.device_id, row.count]))
  return new Queues(database, clock, counts)
}
