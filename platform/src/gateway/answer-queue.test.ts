import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AnswerQueue, noPacketId } from './answer-queue.ts'

const idsOf = (answers: Buffer): readonly number[] =>
  Array.from({ length: answers.length / 4 }, (_, i) => {
    expect([answers[i * 4], answers[i * 4 + 1]]).toEqual([0x40, 2])
    return answers.readUInt16BE(i * 4 + 2)
  })

test('answers leave in order, once, never before durable or due; QoS 0 gets none', () => {
  const message = fc.record({
    packetId: fc.oneof(fc.constant(noPacketId), fc.integer({ min: 1, max: 65_535 })),
    dueMs: fc.constantFrom(0, 10, 50, 90),
  })
  const action = fc.oneof(
    message.map((value) => ({ kind: 'push' as const, ...value })),
    fc.constant({ kind: 'stored' as const }),
    fc.integer({ min: 0, max: 100 }).map((nowMs) => ({ kind: 'take' as const, nowMs })),
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const queue = new AnswerQueue()
      const waiting: { packetId: number; dueMs: number }[] = []
      let durable = 0
      for (const step of actions) {
        if (step.kind === 'push') {
          queue.push(step.packetId, step.dueMs)
          waiting.push(step)
        } else if (step.kind === 'stored') {
          if (durable === waiting.length) continue
          durable++
          queue.stored()
        } else {
          const expected: number[] = []
          let count = 0
          while (count < durable && waiting[count]!.dueMs <= step.nowMs) {
            const { packetId } = waiting[count++]!
            if (packetId !== noPacketId) expected.push(packetId)
          }
          waiting.splice(0, count)
          durable -= count
          expect(idsOf(queue.takeAnswers(step.nowMs) ?? Buffer.alloc(0))).toEqual(expected)
        }
        expect(queue.length).toBe(waiting.length)
      }
    }),
  )
})
