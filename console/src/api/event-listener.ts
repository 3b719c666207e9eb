import { emptyStream, type StreamEvent, takeEvents } from '../view/event-text.ts'
import { sessionHeaders } from './session.ts'

/** State of the live connection. */
export type LiveState = 'connecting' | 'live' | 'broken'

async function readStream(
  response: Response,
  take: (text: string) => readonly StreamEvent[],
  onEvent: (event: StreamEvent) => void,
): Promise<void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  if (reader === undefined) return
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    for (const event of take(value)) onEvent(event)
  }
}

const pause = (durationMs: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, durationMs)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })

/**
 * Listens to server-sent events until the signal aborts; connects again by itself and asks for
 * what it missed.
 */
export async function listenToEvents(options: {
  readonly signal: AbortSignal
  readonly onEvent: (event: StreamEvent) => void
  readonly onState: (state: LiveState) => void
}): Promise<void> {
  const { signal, onEvent, onState } = options
  let state = emptyStream
  while (!signal.aborted) {
    try {
      const resume = state.lastEventId === undefined ? {} : { 'last-event-id': state.lastEventId }
      const response = await fetch('/api/v1/events', {
        headers: { accept: 'text/event-stream', ...sessionHeaders(), ...resume },
        signal,
      })
      if (response.ok) {
        onState('live')
        state = { ...state, rest: '' }
        await readStream(
          response,
          (text) => {
            const taken = takeEvents(state, text)
            state = taken.state
            return taken.events
          },
          onEvent,
        )
      }
    } catch {
      // A broken connection loses nothing: the next one asks for what came after the last event.
      onState('broken')
    }
    if (signal.aborted) return
    onState('broken')
    await pause(state.retryMs, signal)
  }
}
