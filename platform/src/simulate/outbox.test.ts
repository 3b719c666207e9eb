import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SimulatedMessage } from '../contracts/index.ts'
import { createOutbox } from './outbox.ts'

function message(n: number): SimulatedMessage {
  return { deviceId: 'd', messageId: `m-${n}`, timeMs: n, delayMs: 0, payload: '' }
}

describe('createOutbox', () => {
  test('added = sent + dropped + waiting at any time, and order holds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('add', 'acknowledge'), { maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 8 }),
        async (actions, batchSize, capacity) => {
          const sent: number[] = []
          let acknowledge: (() => void) | undefined
          const send = (batch: readonly SimulatedMessage[]) =>
            new Promise<void>((resolve) => {
              acknowledge = () => {
                sent.push(...batch.map(({ timeMs }) => timeMs))
                resolve()
              }
            })
          const link = { batchSize, send, close: async () => undefined }
          const outbox = createOutbox(link, capacity, (error) => {
            throw error
          })
          let added = 0
          for (const action of actions) {
            if (action === 'add') outbox.add(message(added++))
            else {
              acknowledge?.()
              acknowledge = undefined
            }
            for (let turn = 0; turn < 4; turn++) await Promise.resolve()
            const { sentCount, droppedCount, waitingCount } = outbox.counts()
            expect(sentCount + droppedCount + waitingCount).toBe(added)
            expect(waitingCount).toBeLessThanOrEqual(capacity + batchSize)
            expect(sentCount).toBe(sent.length)
          }
          expect(sent).toEqual([...sent].sort((left, right) => left - right))
        },
      ),
    )
  })

  test('a failed link is told once and sends nothing more', async () => {
    let tries = 0
    const errors: unknown[] = []
    const send = async () => {
      tries += 1
      throw new Error('refused')
    }
    const link = { batchSize: 1, send, close: async () => undefined }
    const outbox = createOutbox(link, 10, (error) => errors.push(error))
    outbox.add(message(1))
    await Promise.resolve()
    outbox.add(message(2))
    await Promise.resolve()
    expect(tries).toBe(1)
    expect(errors).toHaveLength(1)
  })
})
