import {
  type DeadLetter,
  type DeadLetterFilter,
  type DeadLetters,
  openDeadLetters,
  type ReplayResult,
  readServerMarker,
  type ServerMarker,
} from '../runtime/index.ts'
import { callServer } from './call-server.ts'
import { type CommonOptions, withDeployment } from './program.ts'

/** Letters of one request. */
export const letterStep = 100
/** Payload bytes of one request: base64 makes them a third larger, a body may have 2 MiB. */
const requestBytes = 1_000_000

type LetterView = {
  readonly id: string
  readonly stage: string
  readonly reason: string
  readonly detail: string | null
  readonly device_id: string | null
  readonly event_id: string | null
  readonly ingested_at: string
  readonly status: string
  readonly replay_count: number
}

function letterOf(view: LetterView): DeadLetter {
  const { id, stage, reason, detail, status } = view
  return {
    id,
    stage,
    reason,
    detail,
    status,
    deviceId: view.device_id,
    eventId: view.event_id,
    ingestedAtMs: Date.parse(view.ingested_at),
    replayCount: view.replay_count,
  }
}

function queryOf({ reason, deviceId, status }: DeadLetterFilter, limit: number): string {
  const query = new URLSearchParams({ limit: String(limit) })
  if (reason !== undefined) query.set('reason', reason)
  if (deviceId !== undefined) query.set('device_id', deviceId)
  if (status !== undefined) query.set('status', status)
  return query.toString()
}

type Sent = { readonly id: string; readonly payload_base64?: string }

/** Letters in groups that fit into a request each. */
function requestsOf(items: Parameters<DeadLetters['replay']>[0]): readonly (readonly Sent[])[] {
  const requests: Sent[][] = [[]]
  let sizeBytes = 0
  for (const { id, payload } of items) {
    const size = payload?.length ?? 0
    if (sizeBytes > 0 && sizeBytes + size > requestBytes) {
      requests.push([])
      sizeBytes = 0
    }
    sizeBytes += size
    const text = payload === undefined ? undefined : Buffer.from(payload).toString('base64')
    requests.at(-1)?.push(text === undefined ? { id } : { id, payload_base64: text })
  }
  return requests
}

function remoteLetters(server: ServerMarker): Omit<DeadLetters, 'counts'> {
  const get = <T>(path: string) => callServer<T>(server, { path: `/api/v1/dead-letters${path}` })
  const post = <T>(path: string, body: unknown) =>
    callServer<T>(server, { path: `/api/v1/dead-letters/${path}`, body })
  return {
    list: async (filter, limit) => {
      const query = queryOf(filter, limit)
      const found = await get<{ dead_letters: readonly LetterView[] }>(`?${query}`)
      return found.dead_letters.map(letterOf)
    },
    ids: async (filter, limit) =>
      (await get<{ ids: readonly string[] }>(`/ids?${queryOf(filter, limit)}`)).ids,
    show: async (id) => {
      type Shown = LetterView & { readonly payload_base64: string }
      const shown = await get<Shown>(`/${encodeURIComponent(id)}`)
      return { ...letterOf(shown), payload: Buffer.from(shown.payload_base64, 'base64') }
    },
    replay: async (items) => {
      const results: ReplayResult[] = []
      for (const letters of requestsOf(items)) {
        const answer = await post<{ results: readonly ReplayResult[] }>('replay', { letters })
        results.push(...answer.results)
      }
      return results
    },
    discard: async (ids) => (await post<{ discarded: number }>('discard', { ids })).discarded,
  }
}

/** Works on the dead letters of a folder, through the server that owns it or directly. */
export async function withDeadLetters<T>(
  options: CommonOptions,
  work: (letters: Omit<DeadLetters, 'counts'>) => Promise<T>,
): Promise<T> {
  const server = readServerMarker(options.data)
  if (server !== undefined) return work(remoteLetters(server))
  return withDeployment(options, (deployment) => work(openDeadLetters(deployment)))
}
