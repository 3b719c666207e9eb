import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { exampleFleet, type NewRecord, newDevice } from '../contracts/index.ts'
import { openDeadLetters } from './dead-letters.ts'
import { openDeployment } from './deployment.ts'
import { runPipeline } from './pipeline.ts'
import { createStageClock } from './stage-clock.ts'

const startMs = Date.UTC(2026, 0, 15)
const good = (n: number) =>
  JSON.stringify({
    device_id: 'REF-1',
    timestamp: new Date(startMs + n * 1_000).toISOString(),
    readings: { temperature: n },
  })

/** A deployment whose log holds refused messages. */
async function withLetters(payloads: readonly string[]) {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'isotherm-letters-'))
  const deployment = await openDeployment({
    fleet: exampleFleet,
    dataDirectory,
    clock: () => startMs + 60_000,
    threadCount: 1,
  })
  onTestFinished(async () => {
    await deployment.close()
    rmSync(dataDirectory, { recursive: true, force: true })
  })
  await deployment.state.registry.upsert([newDevice({ device_id: 'REF-1', valid_from: startMs })])
  await deployment.log.append(
    payloads.map(
      (payload, n): NewRecord => ({
        deviceId: 'REF-1',
        eventId: `00000000-0000-5000-8000-00000000000${n}`,
        ingestedAtMs: startMs + n,
        protocol: 'mqtt3',
        ...(n === 0 && { properties: '{"door":"open"}' }),
        body: {
          kind: 'refused',
          reason: n === 0 ? 'TYPE_MISMATCH' : 'INVALID_JSON',
          detail: 'for the test',
          payload: Buffer.from(payload),
        },
      }),
    ),
  )
  const land = () =>
    runPipeline(
      deployment,
      createStageClock(
        () => 0,
        () => 0,
      ),
      { stages: ['land'] },
    )
  await land()
  const rows = async () =>
    (
      await deployment.lake.query(
        'SELECT event_id, epoch_ms(timestamp_ingested)::DOUBLE AS at, message_properties FROM raw_sensor_readings ORDER BY 2',
      )
    ).rows
  return { letters: openDeadLetters(deployment), land, deployment, rows }
}

it('counts letters by reason, and shows one with its bytes', async () => {
  const { letters } = await withLetters(['a', '{', '{{'])
  const counts = await letters.counts()
  expect(counts.map(({ reason, count }) => [reason, count])).toEqual([
    ['INVALID_JSON', 2],
    ['TYPE_MISMATCH', 1],
  ])
  const [newest] = await letters.list({ reason: 'INVALID_JSON' }, 1)
  const shown = await letters.show(newest?.id ?? '')
  expect(Buffer.from(shown.payload).toString()).toBe('{{')
  expect(shown).toMatchObject({ deviceId: 'REF-1', ingestedAtMs: startMs + 2, status: 'new' })
  await expect(letters.show('none')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

it('stores what can be read now with its id and ingest time, once, and keeps the rest', async () => {
  const { letters, land, deployment, rows } = await withLetters([good(7), '{', '{'])
  const ids = await letters.ids({}, 10)
  const [, second = '', third = ''] = ids
  const repaired = { id: second, payload: Buffer.from(good(8)) }
  const items = [{ id: ids[0] ?? '' }, repaired, { id: third }]
  const results = await letters.replay(items)
  expect(results.map(({ result }) => result)).toEqual(['replayed', 'replayed', 'refused'])
  expect((await letters.replay(items)).map((one) => 'reason' in one && one.reason)).toEqual([
    'NOT_NEW',
    'NOT_NEW',
    'INVALID_JSON',
  ])
  await land()
  expect(deployment.log.bounds(0).endOffset).toBe(5)
  expect(await rows()).toEqual([
    ['00000000-0000-5000-8000-000000000000', startMs, '{"door":"open"}'],
    ['00000000-0000-5000-8000-000000000001', startMs + 1, null],
  ])
  const kept = await letters.list({}, 10)
  expect(kept.map(({ status, replayCount }) => [status, replayCount])).toEqual([
    ['new', 2],
    ['replayed', 1],
    ['replayed', 1],
  ])
})

it('refuses a repair in the name of another device', async () => {
  const { letters } = await withLetters([good(1)])
  const [id = ''] = await letters.ids({}, 1)
  const payload = Buffer.from(good(1).replace('REF-1', 'REF-2'))
  expect(await letters.replay([{ id, payload }])).toMatchObject([{ reason: 'IDENTITY_MISMATCH' }])
  expect(await letters.replay([{ id }])).toMatchObject([{ result: 'replayed' }])
})

it('gives letters up and never tries them again', async () => {
  const { letters } = await withLetters([good(1), '{'])
  const ids = await letters.ids({ reason: 'TYPE_MISMATCH' }, 10)
  expect(await letters.discard(ids)).toBe(1)
  expect(await letters.discard(ids)).toBe(0)
  expect(await letters.ids({}, 10)).toHaveLength(1)
  expect(await letters.replay(ids.map((id) => ({ id })))).toMatchObject([{ reason: 'NOT_NEW' }])
})
