/** One server-sent event. */
export type StreamEvent = { readonly kind: string; readonly data: string }

/** What is left of a stream after its complete events were taken out. */
export type StreamState = {
  readonly rest: string
  readonly lastEventId: string | undefined
  readonly retryMs: number
}

/** A stream before its first byte. */
export const emptyStream: StreamState = { rest: '', lastEventId: undefined, retryMs: 3000 }

/**
 * Takes complete events out of received text. Written out instead of `EventSource`, because that
 * cannot send a token.
 */
export function takeEvents(
  state: StreamState,
  received: string,
): { readonly state: StreamState; readonly events: readonly StreamEvent[] } {
  const blocks = (state.rest + received).split(/\r?\n\r?\n/)
  const rest = blocks.pop() ?? ''
  const events: StreamEvent[] = []
  let { lastEventId, retryMs } = state
  for (const block of blocks) {
    let kind = 'message'
    const data: string[] = []
    for (const line of block.split(/\r?\n/)) {
      const [, name, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? []
      if (name === 'event') kind = value ?? kind
      else if (name === 'data') data.push(value ?? '')
      else if (name === 'id') lastEventId = value
      else if (name === 'retry') retryMs = Number(value) || retryMs
    }
    if (data.length > 0) events.push({ kind, data: data.join('\n') })
  }
  return { state: { rest, lastEventId, retryMs }, events }
}
