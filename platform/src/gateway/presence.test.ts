import { expect, test } from 'vitest'
import { Presence, type PresenceEvent } from './presence.ts'

const minuteMs = 60_000

function watched() {
  const presence = new Presence()
  const events: PresenceEvent[] = []
  presence.onEvent((event) => events.push(event))
  return { presence, kinds: () => events.map(({ kind }) => kind), events }
}

test('a device that is back within the grace was never offline; one that is not, is', () => {
  const { presence, kinds } = watched()
  presence.connected('REF-1', 60 * minuteMs, 0)
  presence.left('REF-1', minuteMs)
  presence.sweep(2 * minuteMs - 1)
  presence.connected('REF-1', 60 * minuteMs, 2 * minuteMs - 1)
  presence.sweep(10 * minuteMs)
  expect(kinds()).toEqual(['online'])
  presence.left('REF-1', 10 * minuteMs)
  presence.sweep(11 * minuteMs)
  presence.sweep(12 * minuteMs)
  expect(kinds()).toEqual(['online', 'offline'])
  expect(presence.onlineCount).toBe(0)
  presence.connected('REF-1', 60 * minuteMs, 13 * minuteMs)
  expect(kinds()).toEqual(['online', 'offline', 'online'])
})

test('silence is told once, within two intervals, and ends with a message', () => {
  const { presence, kinds, events } = watched()
  for (let at = 0; at <= 10 * minuteMs; at += minuteMs) {
    presence.heard('REF-1', minuteMs, at)
    presence.sweep(at)
  }
  expect(kinds()).toEqual([])
  for (let at = 10 * minuteMs; at <= 20 * minuteMs; at += 1_000) presence.sweep(at)
  expect(kinds()).toEqual(['stopped reporting'])
  expect(events[0]?.atMs).toBeLessThanOrEqual(12 * minuteMs)
  expect(presence.silentCount).toBe(1)
  presence.heard('REF-1', minuteMs, 21 * minuteMs)
  expect(kinds()).toEqual(['stopped reporting', 'reporting again'])
  expect(presence.silentCount).toBe(0)
})
