import type { DuckDBConnection } from '@duckdb/node-api'
import { type DeadLetterRow, IsothermError, type NewRecord } from '../contracts/index.ts'
import { compileDecoder, type Decoder } from '../gateway/index.ts'
import { sqlList } from '../lake/index.ts'
import { oneAtATime } from '../objects/index.ts'
import type { Deployment } from './deployment.ts'

/** Which dead letters; a field left out does not narrow. */
export type DeadLetterFilter = {
  readonly reason?: string
  readonly deviceId?: string
  readonly status?: DeadLetterRow['status']
}

/** A dead letter as people see it; the payload only where one is looked at. */
export type DeadLetter = {
  readonly id: string
  readonly stage: string
  readonly reason: string
  readonly detail: string | null
  readonly deviceId: string | null
  readonly eventId: string | null
  readonly ingestedAtMs: number
  readonly status: string
  readonly replayCount: number
}

/** How many there are of a reason, and when the newest came. */
export type DeadLetterCount = {
  readonly stage: string
  readonly reason: string
  readonly status: string
  readonly count: number
  readonly newestMs: number
  /** One of them, to look at. */
  readonly sampleId: string
}

/** A dead letter to try again, as it was or with a payload that was put right. */
export type ReplayItem = { readonly id: string; readonly payload?: Uint8Array }

/** What became of a letter that was tried again. */
export type ReplayResult =
  | { readonly id: string; readonly result: 'replayed' }
  | {
      readonly id: string
      readonly result: 'refused'
      readonly reason: string
      readonly detail: string
    }

/** Messages that could not be read: looked at, tried again, given up, ING-23. */
export type DeadLetters = {
  readonly counts: () => Promise<readonly DeadLetterCount[]>
  /** Newest first. */
  readonly list: (filter: DeadLetterFilter, limit: number) => Promise<readonly DeadLetter[]>
  /** Ids of letters that may be tried again. */
  readonly ids: (filter: DeadLetterFilter, limit: number) => Promise<readonly string[]>
  /** @throws IsothermError NOT_FOUND */
  readonly show: (id: string) => Promise<DeadLetter & { readonly payload: Uint8Array }>
  /**
   * Decodes letters again, by the schema and registry of now, and appends those that can be read to
   * the log with the id and ingest time they had. A crash between the log and the table leaves a
   * letter `new`; trying it again repeats its id, which cleansing takes out.
   */
  readonly replay: (items: readonly ReplayItem[]) => Promise<readonly ReplayResult[]>
  /** Gives letters up; returns how many were new. */
  readonly discard: (ids: readonly string[]) => Promise<number>
}

/** Stages whose letters hold the message as it was sent. */
const replayableStages = sqlList(['gateway', 'decode'])
/** Largest payload a message may have, as the gateway has it. */
const maxPayloadBytes = 262_144
/** Races with compaction that are run again. */
const maxAttempts = 5

type Row = readonly unknown[]

const columns =
  'dlq_id, stage, reason_code, reason_detail, device_id, event_id, ' +
  'epoch_ms(timestamp_ingested)::DOUBLE, status, replay_count::INTEGER'

const textOrNull = (value: unknown): string | null => (value === null ? null : String(value))

function letterOf(row: Row): DeadLetter {
  const [id, stage, reason, detail, deviceId, eventId, ingestedAtMs, status, replayCount] = row
  return {
    id: String(id),
    stage: String(stage),
    reason: String(reason),
    detail: textOrNull(detail),
    deviceId: textOrNull(deviceId),
    eventId: textOrNull(eventId),
    ingestedAtMs: Number(ingestedAtMs),
    status: String(status),
    replayCount: Number(replayCount),
  }
}

function conditionOf({ reason, deviceId, status }: DeadLetterFilter): string {
  const parts = [
    ...(reason === undefined ? [] : [`reason_code IN (${sqlList([reason])})`]),
    ...(deviceId === undefined ? [] : [`device_id IN (${sqlList([deviceId])})`]),
    ...(status === undefined ? [] : [`status IN (${sqlList([status])})`]),
  ]
  return parts.length === 0 ? 'true' : parts.join(' AND ')
}

async function rowsOf(connection: DuckDBConnection, query: string): Promise<readonly Row[]> {
  return (await connection.runAndReadAll(query)).getRowsJS()
}

type Candidate = {
  readonly letter: DeadLetter
  readonly payload: Uint8Array
  /** What came beside it. */
  readonly properties: string | null
}

/** The record of a letter whose payload can be read now, or why it still cannot. */
function decodeAgain(
  { state }: Deployment,
  decoder: Decoder,
  { letter, payload, properties }: Candidate,
): NewRecord | { readonly reason: string; readonly detail: string } {
  const bytes = Buffer.from(payload)
  const deviceId = letter.deviceId ?? decoder.claim(bytes) ?? ''
  const device = state.registry.deviceAsOf(deviceId, letter.ingestedAtMs)
  if (device === undefined || letter.eventId === null) {
    return { reason: 'DEVICE_UNKNOWN', detail: `device ${deviceId || '(none)'} is not registered` }
  }
  if (bytes.length > maxPayloadBytes) {
    return { reason: 'PAYLOAD_TOO_LARGE', detail: `payload has ${bytes.length} bytes` }
  }
  const { ingestedAtMs } = letter
  const { body } = decoder.decode(bytes, { deviceId, device, ingestedAtMs })
  if (body.kind === 'refused') return { reason: body.reason, detail: body.detail }
  const { eventId } = letter
  const record = { deviceId, eventId, ingestedAtMs, protocol: 'replay', body } as const
  return properties === null ? record : { ...record, properties }
}

/** New status of letters; those only tried again stay new and are counted. */
type Marks = {
  readonly tried: readonly string[]
  readonly replayed: readonly string[]
  readonly discarded: readonly string[]
}

/** Rewrites the files that hold the letters, with their marks, in one commit. */
async function markOnce({ lake, clock }: Deployment, marks: Marks): Promise<void> {
  const table = lake.table('dead_letter_messages')
  const touched = sqlList([...marks.tried, ...marks.discarded])
  await lake.withConnection(async (connection) => {
    const snapshot = await table.snapshot()
    const replaces: (typeof snapshot.files)[number][] = []
    for (const file of snapshot.files) {
      const relation = table.relation(snapshot, [file])
      const found = await rowsOf(
        connection,
        `SELECT 1 FROM ${relation} WHERE dlq_id IN (${touched}) LIMIT 1`,
      )
      if (found.length > 0) replaces.push(file)
    }
    if (replaces.length === 0) return
    await table.write({
      connection,
      query: `SELECT * REPLACE (
          CASE WHEN dlq_id IN (${sqlList(marks.replayed)}) THEN 'replayed'
            WHEN dlq_id IN (${sqlList(marks.discarded)}) THEN 'discarded'
            ELSE status END AS status,
          CASE WHEN dlq_id IN (${sqlList(marks.tried)}) THEN replay_count + 1
            ELSE replay_count END AS replay_count)
        FROM ${table.relation(snapshot, replaces)}`,
      replaces,
      readVersion: snapshot.version,
      operation: 'REPLAY',
      nowMs: clock(),
    })
  })
}

async function mark(deployment: Deployment, marks: Marks): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await markOnce(deployment, marks)
      return
    } catch (error) {
      // Compaction was faster and replaced the same files: the next try sees its result.
      const isLost = error instanceof IsothermError && error.code === 'COMMIT_FAILED'
      if (!isLost || attempt === maxAttempts) throw error
    }
  }
}

async function candidatesOf(
  { lake }: Deployment,
  items: readonly ReplayItem[],
): Promise<readonly Candidate[]> {
  const table = lake.table('dead_letter_messages')
  const given = new Map(items.map(({ id, payload }) => [id, payload]))
  const rows = await lake.withConnection(async (connection) =>
    rowsOf(
      connection,
      `SELECT ${columns}, message_properties, to_base64(payload)
        FROM ${table.relation(await table.snapshot())}
        WHERE status = 'new' AND stage IN (${replayableStages})
          AND dlq_id IN (${sqlList([...given.keys()])})`,
    ),
  )
  return rows.map((row) => {
    const letter = letterOf(row)
    const stored = Buffer.from(String(row.at(-1) ?? ''), 'base64')
    return { letter, payload: given.get(letter.id) ?? stored, properties: textOrNull(row.at(-2)) }
  })
}

async function replay(
  deployment: Deployment,
  items: readonly ReplayItem[],
): Promise<readonly ReplayResult[]> {
  const decoder = compileDecoder(deployment.fleet)
  const records: NewRecord[] = []
  const results = new Map<string, ReplayResult>()
  for (const candidate of await candidatesOf(deployment, items)) {
    const { id } = candidate.letter
    const outcome = decodeAgain(deployment, decoder, candidate)
    if ('reason' in outcome) results.set(id, { id, result: 'refused', ...outcome })
    else {
      records.push(outcome)
      results.set(id, { id, result: 'replayed' })
    }
  }
  if (records.length > 0) await deployment.log.append(records)
  const tried = [...results.keys()]
  const replayed = tried.filter((id) => results.get(id)?.result === 'replayed')
  if (tried.length > 0) await mark(deployment, { tried, replayed, discarded: [] })
  return items.map(
    ({ id }) =>
      results.get(id) ?? {
        id,
        result: 'refused',
        reason: 'NOT_NEW',
        detail: 'there is no new letter of this id that holds a message as it was sent',
      },
  )
}

/** Opens the dead letters of a deployment; changes are made one after the other. */
export function openDeadLetters(deployment: Deployment): DeadLetters {
  const { lake } = deployment
  const table = lake.table('dead_letter_messages')
  const inTurn = oneAtATime()
  const select = (what: string, rest: string) =>
    lake.withConnection(async (connection) =>
      rowsOf(connection, `SELECT ${what} FROM ${table.relation(await table.snapshot())} ${rest}`),
    )
  return {
    counts: async () => {
      const rows = await select(
        `stage, reason_code, status, count(*)::INTEGER,
          max(epoch_ms(timestamp_ingested))::DOUBLE, arg_max(dlq_id, timestamp_ingested)`,
        'GROUP BY ALL ORDER BY 4 DESC, 2',
      )
      return rows.map(([stage, reason, status, count, newestMs, sampleId]) => ({
        stage: String(stage),
        reason: String(reason),
        status: String(status),
        count: Number(count),
        newestMs: Number(newestMs),
        sampleId: String(sampleId),
      }))
    },
    list: async (filter, limit) => {
      const order = 'ORDER BY timestamp_ingested DESC, dlq_id'
      const rows = await select(columns, `WHERE ${conditionOf(filter)} ${order} LIMIT ${limit}`)
      return rows.map(letterOf)
    },
    ids: async (filter, limit) => {
      const isOpen = `status = 'new' AND stage IN (${replayableStages})`
      const rows = await select(
        'dlq_id',
        `WHERE ${isOpen} AND ${conditionOf(filter)} ORDER BY timestamp_ingested, dlq_id LIMIT ${limit}`,
      )
      return rows.map(([id]) => String(id))
    },
    show: async (id) => {
      const [row] = await select(
        `${columns}, to_base64(payload)`,
        `WHERE dlq_id IN (${sqlList([id])})`,
      )
      if (row === undefined) {
        throw new IsothermError(
          'NOT_FOUND',
          `there is no dead letter ${id}; see isotherm deadletters list`,
        )
      }
      return { ...letterOf(row), payload: Buffer.from(String(row.at(-1) ?? ''), 'base64') }
    },
    replay: (items) => inTurn(() => replay(deployment, items)),
    discard: (ids) =>
      inTurn(async () => {
        const rows = await select('dlq_id', `WHERE status = 'new' AND dlq_id IN (${sqlList(ids)})`)
        const discarded = rows.map(([id]) => String(id))
        if (discarded.length > 0) await mark(deployment, { tried: [], replayed: [], discarded })
        return discarded.length
      }),
  }
}
