import type { MqttClient } from 'mqtt'
import { connect, type TestDevice, topic } from '../devices.ts'
import type { DeviceBooks, Sent } from './device-books.ts'

/** Where to send, and until when. */
export type Stage = {
  readonly url: string
  readonly mqttPort: number
  readonly collectorToken: string
  /** New messages are made; false when only what is unanswered is sent again. */
  readonly mayMake: () => boolean
  /** The stage is over: end as soon as possible. */
  readonly isOver: () => boolean
}

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const lanes = 12
const httpLanes = 4
const batchSize = 250

async function onConnection(
  client: MqttClient,
  books: DeviceBooks,
  stage: Stage,
  lifeMs: number,
): Promise<void> {
  const broken = Promise.withResolvers<'broken'>()
  let isBroken = false
  client.on('close', () => {
    isBroken = true
    broken.resolve('broken')
  })
  // A cable that is pulled, in the middle of whatever is on its way.
  const cut = setTimeout(() => client.stream.destroy(), lifeMs)
  const lane = async () => {
    while (!isBroken && !stage.isOver()) {
      const sent = books.next(stage.mayMake())
      if (sent === undefined) return
      const published = client
        .publishAsync(topic(books.deviceId), sent.body, { qos: 1 })
        .then(() => 'answered' as const)
        .catch(() => 'broken' as const)
      const outcome = await Promise.race([published, broken.promise])
      if (outcome === 'answered') books.answered(sent)
      else {
        books.lost(sent)
        return
      }
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  clearTimeout(cut)
  client.end(true)
}

/** A device over MQTT whose connection breaks every few seconds. */
export async function sendOverMqtt(
  device: TestDevice,
  books: DeviceBooks,
  stage: Stage,
): Promise<void> {
  while (!stage.isOver() && (stage.mayMake() || books.waitingCount > 0)) {
    try {
      const client = await connect(device, { port: stage.mqttPort, version: 5 })
      await onConnection(client, books, stage, 1_000 + Math.random() * 4_000)
    } catch {
      await wait(50)
    }
  }
}

type Posted = 'answered' | 'refused' | 'unknown'

async function post(url: string, headers: Record<string, string>, body: string): Promise<Posted> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(20_000),
    })
    await response.arrayBuffer()
    if (response.ok) return 'answered'
    return response.status === 429 ? 'refused' : 'unknown'
  } catch {
    return 'unknown'
  }
}

function settle(books: DeviceBooks, sent: Sent, posted: Posted): void {
  if (posted === 'answered') books.answered(sent)
  else if (posted === 'refused') books.refused(sent)
  else books.lost(sent)
}

/** A device over HTTPS that is too fast for its rate and is told so. */
export async function sendOverHttp(
  sasToken: string,
  books: DeviceBooks,
  stage: Stage,
): Promise<void> {
  const url = `${stage.url}/devices/${books.deviceId}/messages/events`
  const lane = async () => {
    while (!stage.isOver()) {
      const sent = books.next(stage.mayMake())
      if (sent === undefined) return
      const posted = await post(url, { authorization: sasToken }, sent.body)
      settle(books, sent, posted)
      if (posted !== 'answered') await wait(posted === 'refused' ? 40 : 100)
    }
  }
  await Promise.all(Array.from({ length: httpLanes }, lane))
}

/** A collector that sends for many devices; returns how many messages it was told to keep. */
export async function sendBatches(fleet: readonly DeviceBooks[], stage: Stage): Promise<number> {
  let refusedCount = 0
  const headers = {
    authorization: `Bearer ${stage.collectorToken}`,
    'content-type': 'application/x-ndjson',
  }
  while (!stage.isOver()) {
    const batch: (readonly [DeviceBooks, Sent])[] = []
    for (let n = 0; n < batchSize; n++) {
      const books = fleet[(n + Math.floor(Math.random() * fleet.length)) % fleet.length]
      const sent = books?.next(stage.mayMake())
      if (books !== undefined && sent !== undefined) batch.push([books, sent])
    }
    if (batch.length === 0 && fleet.every(({ waitingCount }) => waitingCount === 0)) break
    if (batch.length === 0) {
      await wait(1)
      continue
    }
    const body = batch.map(([, { body }]) => body).join('\n')
    const posted = await post(`${stage.url}/messages/batch`, headers, body)
    if (posted === 'refused') refusedCount += batch.length
    for (const [books, sent] of batch) settle(books, sent, posted)
    if (posted !== 'answered') await wait(100)
  }
  return refusedCount
}
