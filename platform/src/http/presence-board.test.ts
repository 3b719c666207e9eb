import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PresenceEvent } from '../gateway/index.ts'
import { PresenceBoard } from './presence-board.ts'

const kinds = ['online', 'offline', 'stopped reporting', 'reporting again'] as const

test('a device is as its last events say, whatever came before', () => {
  const event = fc.record({
    deviceId: fc.constantFrom('A', 'B'),
    kind: fc.constantFrom(...kinds),
    atMs: fc.nat(),
  })
  fc.assert(
    fc.property(fc.array(event), (events: readonly PresenceEvent[]) => {
      const board = new PresenceBoard()
      for (const one of events) board.note(one)
      for (const id of ['A', 'B']) {
        const own = events.filter(({ deviceId }) => deviceId === id)
        const last = (first: string, second: string) =>
          own.findLast(({ kind }) => kind === first || kind === second)?.kind
        const known = board.of(id)
        if (own.length === 0) expect(known).toBeUndefined()
        else {
          expect(known?.isConnected).toBe(last('online', 'offline') === 'online')
          const said = last('stopped reporting', 'reporting again')
          expect(known?.isReporting).toBe(said !== 'stopped reporting')
          expect(known?.changedMs).toBe(own.at(-1)?.atMs)
        }
      }
    }),
  )
})

test('the newest five hundred events are kept, newest first', () => {
  const board = new PresenceBoard()
  for (let n = 0; n < 600; n++)
    board.note({ deviceId: `D-${n}`, kind: 'stopped reporting', atMs: n })
  expect(board.events()).toHaveLength(500)
  expect(board.events()[0]?.atMs).toBe(599)
  expect(board.counts()).toEqual({ connected: 0, silent: 600 })
})
