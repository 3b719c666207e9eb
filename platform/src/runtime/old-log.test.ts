import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { exampleFleet, type NewRecord, newDevice } from '../contracts/index.ts'
import { openDeployment } from './deployment.ts'
import { runPipeline } from './pipeline.ts'
import { createStageClock } from './stage-clock.ts'

/** A segment as it was written before records could carry properties: format 1 of November 2026. */
const oldLines = [
  String.raw`{"o":0,"t":1771151537000,"d":"REF-1","e":"00000000-0000-5000-8000-000000000000","m":"mqtt3","i":"m-1","f":"w","s":1771151536000,"u":"{\"color\":\"rouge \u00e9\"}","p":{"device_id":"REF-1","timestamp":"2026-02-15T10:32:16.000Z","readings":{"temperature":0}}}`,
  String.raw`{"o":1,"t":1771151597000,"d":"REF-1","e":"00000000-0000-5000-8000-000000000001","m":"https","f":"w","s":1771151596000,"p":{"device_id":"REF-1","timestamp":"2026-02-15T10:33:16.000Z","readings":{"temperature":1}}}`,
  String.raw`{"o":2,"t":1771151657000,"d":"REF-1","e":"00000000-0000-5000-8000-000000000002","m":"mqtt5","x":"INVALID_JSON","xd":"at byte 1","b":"ew=="}`,
]
/** Its side file, with the CRC of every line. */
const oldIndex =
  '49534f4c4f4730310000000000000000008036bb0dc6794200000000000000000fee9f2302010000008036bb0dc6' +
  '794284fd90f9d70100000080dcc90dc679422a32d67163020000008082d80dc67942'

const nowMs = 1771151700000

async function openOld() {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'isotherm-old-'))
  const partition = join(dataDirectory, 'log', 'p0')
  mkdirSync(partition, { recursive: true })
  writeFileSync(
    join(dataDirectory, 'log', 'log.json'),
    '{"format":1,"generation":1,"partitionCount":1}',
  )
  const name = join(partition, '0'.repeat(20))
  writeFileSync(`${name}.ndjson`, `${oldLines.join('\n')}\n`)
  writeFileSync(`${name}.index`, Buffer.from(oldIndex, 'hex'))
  writeFileSync(join(partition, 'chain.ndjson'), '')
  const deployment = await openDeployment({
    fleet: exampleFleet,
    dataDirectory,
    clock: () => nowMs,
    threadCount: 1,
  })
  onTestFinished(async () => {
    await deployment.close()
    rmSync(dataDirectory, { recursive: true, force: true })
  })
  await deployment.state.registry.upsert([newDevice({ device_id: 'REF-1', valid_from: 0 })])
  return deployment
}

const withProperties: NewRecord = {
  deviceId: 'REF-1',
  eventId: '00000000-0000-5000-8000-000000000003',
  ingestedAtMs: 1771151660000,
  protocol: 'mqtt3',
  messageId: 'm-4',
  properties: '{"$.ct":"application/json","door":"open \\" é"}',
  body: {
    kind: 'readable',
    format: 'wide',
    deviceTimeMs: 1771151660000,
    payload: Buffer.from(
      '{"device_id":"REF-1","timestamp":"2026-02-15T10:34:20Z","readings":{"temperature":3}}',
    ),
  },
}

it('a log from before properties is read on, and what comes now lands with its own', async () => {
  const deployment = await openOld()
  const { log, lake } = deployment
  expect(log.bounds(0)).toEqual({ startOffset: 0, endOffset: 3 })
  await log.append([withProperties])
  const abort = new AbortController()
  const read = []
  for await (const records of log.follow(0, 0, abort.signal)) {
    read.push(...records)
    if (read.length === 4) break
  }
  abort.abort()
  expect(read.map(({ messageId, properties }) => [messageId, properties])).toEqual([
    ['m-1', undefined],
    [undefined, undefined],
    [undefined, undefined],
    ['m-4', withProperties.properties],
  ])
  const stages = createStageClock(
    () => 0,
    () => 0,
  )
  await runPipeline(deployment, stages, { stages: ['land'] })
  const { rows } = await lake.query(
    `SELECT _sequence_number::INTEGER, unmapped_fields,
       message_properties->>'$.door', message_properties->>'$."$.ct"'
     FROM raw_sensor_readings ORDER BY 1`,
  )
  expect(rows).toEqual([
    [0, '{"color":"rouge é"}', null, null],
    [1, null, null, null],
    [3, null, 'open " é', 'application/json'],
  ])
  const dead = await lake.query('SELECT reason_code FROM dead_letter_messages')
  expect(dead.rows).toEqual([['INVALID_JSON']])
})
