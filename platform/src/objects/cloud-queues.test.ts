import { expect, onTestFinished, test } from 'vitest'
import { startMs, temporaryState } from './test-support.ts'

async function opened() {
  const store = await temporaryState()
  onTestFinished(store.remove)
  return store
}

const payload = Buffer.from('go')
const minuteMs = 60_000
const hold = { count: 50, lockMs: minuteMs }

test('messages come back in order after a restart, with everything their sender said', async () => {
  const store = await opened()
  for (const messageId of ['a', 'b', 'c']) {
    const properties = { level: 'high & dry' }
    await store.state.messages.enqueue('REF-1', { messageId, payload, properties, userId: 'ann' })
  }
  const { messages } = await store.reopen()
  expect(messages.hasPending('REF-1')).toBe(true)
  expect(messages.hasPending('REF-2')).toBe(false)
  const taken = await messages.take('REF-1', hold)
  expect(taken.map(({ messageId }) => messageId)).toEqual(['a', 'b', 'c'])
  expect(taken[0]).toMatchObject({
    properties: { level: 'high & dry' },
    userId: 'ann',
    deliveryCount: 0,
    enqueuedAtMs: startMs,
    expiresAtMs: startMs + 60 * minuteMs,
  })
  expect(Buffer.from(taken[0]?.payload ?? []).toString()).toBe('go')
})

test('the fifty-first message is refused, and one that expired makes room', async () => {
  const { state, time } = await opened()
  await state.messages.enqueue('REF-1', { payload, timeToLiveMs: minuteMs, ack: 'negative' })
  for (let n = 1; n < 50; n++) await state.messages.enqueue('REF-1', { payload })
  expect(await state.messages.enqueue('REF-1', { payload })).toEqual({
    kind: 'full',
    pendingCount: 50,
  })
  time.nowMs += minuteMs
  expect(await state.messages.enqueue('REF-1', { payload })).toMatchObject({ kind: 'queued' })
  const [feedback] = await state.messages.feedbackAfter(0)
  expect(feedback).toMatchObject({ statusCode: 'Expired', deviceId: 'REF-1' })
})

test('a locked message is seen by nobody else until its lock ends or is given back', async () => {
  const { state, time } = await opened()
  await state.messages.enqueue('REF-1', { payload })
  const [first] = await state.messages.take('REF-1', hold)
  expect(await state.messages.take('REF-1', hold)).toEqual([])
  time.nowMs += minuteMs
  expect(await state.messages.settle('REF-1', first?.lockToken ?? '', 'complete')).toBe(false)
  const [second] = await state.messages.take('REF-1', hold)
  expect(second?.deliveryCount).toBe(1)
  expect(await state.messages.settle('REF-2', second?.lockToken ?? '', 'complete')).toBe(false)
  state.messages.release('REF-1', [second?.lockToken ?? ''])
  const [third] = await state.messages.take('REF-1', hold)
  expect(await state.messages.settle('REF-1', third?.lockToken ?? '', 'complete')).toBe(true)
  expect(state.messages.hasPending('REF-1')).toBe(false)
})

test('a message given back ten times goes to nobody; the sender is told as he wished', async () => {
  const { state } = await opened()
  const { messages } = state
  for (const ack of ['none', 'positive', 'negative', 'full'] as const) {
    await messages.enqueue('REF-1', { messageId: `bad-${ack}`, payload, ack })
  }
  for (let n = 0; n < 10; n++) {
    for (const { lockToken } of await messages.take('REF-1', hold)) {
      expect(await messages.settle('REF-1', lockToken, 'abandon')).toBe(true)
    }
  }
  expect(messages.hasPending('REF-1')).toBe(false)
  for (const ack of ['none', 'positive', 'negative', 'full'] as const) {
    await messages.enqueue('REF-1', { messageId: `good-${ack}`, payload, ack })
  }
  for (const { lockToken } of await messages.take('REF-1', hold)) {
    await messages.settle('REF-1', lockToken, 'complete')
  }
  await messages.enqueue('REF-1', { messageId: 'no', payload, ack: 'negative' })
  await messages.enqueue('REF-1', { messageId: 'gone', payload, ack: 'negative' })
  const [no] = await messages.take('REF-1', { count: 1, lockMs: minuteMs })
  await messages.settle('REF-1', no?.lockToken ?? '', 'reject')
  expect(await messages.purge('REF-1')).toBe(1)
  const told = await messages.feedbackAfter(0)
  expect(told.map((one) => `${one.originalMessageId} ${one.statusCode}`)).toEqual([
    'bad-negative DeliveryCountExceeded',
    'bad-full DeliveryCountExceeded',
    'good-positive Success',
    'good-full Success',
    'no Rejected',
    'gone Purged',
  ])
  expect(await messages.feedbackAfter(told[4]?.feedbackId ?? 0)).toHaveLength(1)
})

test('feedback is kept for two days, expired messages leave queues nobody asks for', async () => {
  const { state, time } = await opened()
  await state.messages.enqueue('REF-1', { payload, ack: 'full' })
  time.nowMs += 61 * minuteMs
  expect(await state.messages.expire()).toBe(1)
  expect(await state.messages.feedbackAfter(0)).toHaveLength(1)
  time.nowMs += 2 * 24 * 60 * minuteMs
  expect(await state.messages.expire()).toBe(0)
  expect(await state.messages.feedbackAfter(0)).toHaveLength(0)
})

test('a message that no device could be sent is refused with its reason', async () => {
  const { state } = await opened()
  const wrong = [
    { payload: Buffer.alloc(65_537) },
    { payload, timeToLiveMs: 1 },
    { payload, messageId: 'x'.repeat(129) },
    { payload, properties: { long: 'x'.repeat(16_385) } },
    { payload, properties: { broken: '\ud800' } },
  ]
  for (const message of wrong) {
    await expect(state.messages.enqueue('REF-1', message)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    })
  }
  expect(state.messages.hasPending('REF-1')).toBe(false)
})

test('kept sessions come back after a restart, also when many are written at once', async () => {
  const store = await opened()
  const ids = Array.from({ length: 500 }, (_, n) => `REF-${n}`)
  await Promise.all(ids.map((id, n) => store.state.sessions.keep(id, n)))
  await Promise.all([
    store.state.sessions.keep('REF-3', 77),
    store.state.sessions.keep('REF-3', 78),
    store.state.sessions.keep('REF-4', undefined),
  ])
  const { sessions } = await store.reopen()
  expect(ids.map((id) => sessions.subscriptionsOf(id))).toEqual(
    ids.map((_, n) => (n === 3 ? 78 : n === 4 ? undefined : n)),
  )
})
