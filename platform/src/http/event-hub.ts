import type { ServerResponse } from 'node:http'

/** One alert in an event. */
export type AlertChangeNote = {
  readonly alert_id: string
  readonly device_id: string
  readonly site_id: string
  readonly severity: string
  readonly status: string
  readonly version: number
}

/** What became of one device's presence. */
export type PresenceNote = {
  readonly device_id: string
  readonly kind: string
  readonly at: string
}

/** What changed; clients read the objects themselves again if they show them. */
export type ServerEvent =
  /** `count` alerts changed; the first are named. */
  | {
      readonly kind: 'alerts'
      readonly count: number
      readonly alerts: readonly AlertChangeNote[]
    }
  /** Health or scores of devices changed, of all if none is named. */
  | { readonly kind: 'devices'; readonly device_ids: readonly string[] }
  /** `count` devices came, left, fell silent or report again; the first are named. */
  | {
      readonly kind: 'presence'
      readonly count: number
      readonly devices: readonly PresenceNote[]
    }
  | { readonly kind: 'run'; readonly stage: string; readonly outcome: string; readonly at: string }

/** What of an event a client may see; undefined for nothing. */
export type Narrowing = (event: ServerEvent) => ServerEvent | undefined

/** Sends events to all clients that listen. */
export type EventHub = {
  readonly publish: (event: ServerEvent) => void
  /**
   * Adds a client. With the id of the last event it saw it gets what it missed, or `reset` if that
   * is no longer kept: then it must read everything again.
   */
  readonly connect: (
    response: ServerResponse,
    lastEventId: string | undefined,
    narrow: Narrowing,
  ) => void
  readonly clientCount: () => number
  readonly close: () => void
}

/** Bounds of the hub. */
export type EventHubOptions = {
  /** Tells this process's events from those before a restart. */
  readonly epoch: string
  /** Events kept for clients that come back. Default 1,000. */
  readonly historyCount?: number
  /** Bytes a client may leave unread before it is dropped. Default 1 MiB. */
  readonly maxUnreadBytes?: number
  /** Clients at once. Default 200; more are told to come back. */
  readonly maxClientCount?: number
  /** Pause between signs of life. Default 15 s. */
  readonly heartbeatMs?: number
  readonly onClientCount?: (count: number) => void
  readonly onDropped?: () => void
}

type Kept = { readonly sequence: number; readonly event: ServerEvent }

/** Milliseconds after which a browser connects again. */
const retryMs = 3000

/** Creates a hub; `close` ends all streams and the heartbeat. */
export function createEventHub({
  epoch,
  historyCount = 1000,
  maxUnreadBytes = 1024 * 1024,
  maxClientCount = 200,
  heartbeatMs = 15_000,
  onClientCount = () => undefined,
  onDropped = () => undefined,
}: EventHubOptions): EventHub {
  const clients = new Map<ServerResponse, Narrowing>()
  const history: Kept[] = []
  let sequence = 0

  const remove = (client: ServerResponse): void => {
    if (clients.delete(client)) onClientCount(clients.size)
  }
  const send = (client: ServerResponse, text: string): void => {
    client.write(text)
    // A client that does not read is dropped, not waited for: it can resume by its last id.
    if (client.writableLength <= maxUnreadBytes) return
    remove(client)
    client.destroy()
    onDropped()
  }
  const textOf = ({ sequence: number, event }: Kept, narrow: Narrowing): string => {
    const seen = narrow(event)
    if (seen === undefined) return ''
    const { kind, ...data } = seen
    return `id: ${epoch}-${number}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`
  }
  const missedSince = (lastEventId: string): readonly Kept[] | undefined => {
    const [ofEpoch, ofSequence] = lastEventId.split('-')
    const last = Number(ofSequence)
    const oldest = history[0]?.sequence ?? sequence + 1
    if (ofEpoch !== epoch || !(last >= oldest - 1) || last > sequence) return undefined
    return history.filter((kept) => kept.sequence > last)
  }
  const heartbeat = setInterval(() => {
    for (const client of [...clients.keys()]) send(client, ': alive\n\n')
  }, heartbeatMs)
  heartbeat.unref()

  return {
    publish: (event) => {
      sequence += 1
      const kept = { sequence, event }
      history.push(kept)
      if (history.length > historyCount) history.shift()
      for (const [client, narrow] of [...clients]) {
        const text = textOf(kept, narrow)
        if (text !== '') send(client, text)
      }
    },
    connect: (response, lastEventId, narrow) => {
      if (clients.size >= maxClientCount) {
        response.writeHead(503, { 'retry-after': '30' }).end()
        return
      }
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-accel-buffering': 'no',
      })
      clients.set(response, narrow)
      onClientCount(clients.size)
      response.on('close', () => remove(response))
      send(response, `retry: ${retryMs}\nid: ${epoch}-${sequence}\nevent: hello\ndata: {}\n\n`)
      if (lastEventId === undefined) return
      const missed = missedSince(lastEventId)
      const text =
        missed === undefined
          ? 'event: reset\ndata: {}\n\n'
          : missed.map((kept) => textOf(kept, narrow)).join('')
      if (text !== '') send(response, text)
    },
    clientCount: () => clients.size,
    close: () => {
      clearInterval(heartbeat)
      for (const client of clients.keys()) client.end()
      clients.clear()
    },
  }
}
