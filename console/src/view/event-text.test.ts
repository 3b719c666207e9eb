import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptyStream, type StreamEvent, takeEvents } from './event-text.ts'

const stream =
  'retry: 1500\nid: a-0\nevent: hello\ndata: {}\n\n: alive\n\nid: a-1\nevent: alerts\ndata: {"count":1}\n\nid: a-2\nevent: run\ndata: {\ndata: }\n\n'

function received(chunks: readonly string[]) {
  let state = emptyStream
  const events: StreamEvent[] = []
  for (const chunk of chunks) {
    const taken = takeEvents(state, chunk)
    state = taken.state
    events.push(...taken.events)
  }
  return { state, events }
}

describe('a stream of events', () => {
  it('gives the same events however it was cut into packets', () => {
    const whole = received([stream])
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 12 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), stream.length]
        const chunks = places.slice(1).map((end, index) => stream.slice(places[index], end))
        expect(received(chunks)).toEqual(whole)
      }),
    )
  })
  it('remembers where to go on and how long to wait', () => {
    const { state, events } = received([stream])
    expect(state).toEqual({ rest: '', lastEventId: 'a-2', retryMs: 1500 })
    expect(events.map(({ kind }) => kind)).toEqual(['hello', 'alerts', 'run'])
    expect(events[2]?.data).toBe('{\n}')
  })
})
