import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { exampleFleet, newDevice } from '../contracts/index.ts'
import { createStageClock, openDeadLetters, openDeployment, runPipeline } from '../runtime/index.ts'
import { createHttpServer } from './http-server.ts'

const startMs = Date.UTC(2026, 0, 15)

/** A message of a given size that can be read: blanks between tokens are as good as any. */
function message(sizeBytes: number): string {
  const text = JSON.stringify({
    device_id: 'REF-1',
    timestamp: new Date(startMs).toISOString(),
    readings: { temperature: 4 },
  })
  return `{${' '.repeat(sizeBytes - text.length)}${text.slice(1)}`
}

/** A server over a deployment with one letter for each reason given. */
async function server(reasons: readonly ('TYPE_MISMATCH' | 'INVALID_JSON')[]) {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'isotherm-letters-'))
  const deployment = await openDeployment({
    fleet: exampleFleet,
    dataDirectory,
    clock: () => startMs + 60_000,
    threadCount: 1,
  })
  await deployment.state.registry.upsert([newDevice({ device_id: 'REF-1', valid_from: startMs })])
  await deployment.log.append(
    reasons.map((reason, n) => ({
      deviceId: 'REF-1',
      eventId: `00000000-0000-5000-8000-00000000000${n}`,
      ingestedAtMs: startMs + n,
      protocol: 'mqtt3',
      body: { kind: 'refused', reason, detail: 'for the test', payload: Buffer.from('{') },
    })),
  )
  const stages = createStageClock(
    () => 0,
    () => 0,
  )
  await runPipeline(deployment, stages, { stages: ['land'] })
  const { app, close } = await createHttpServer({
    fleet: exampleFleet,
    lake: deployment.lake,
    state: deployment.state,
    registry: deployment.models,
    deadLetters: openDeadLetters(deployment),
    clock: deployment.clock,
    authentication: { kind: 'open' },
  })
  onTestFinished(async () => {
    await close()
    await deployment.close()
    rmSync(dataDirectory, { recursive: true, force: true })
  })
  const base = '/api/v1/dead-letters'
  return {
    get: async (path: string) => (await app.inject({ method: 'GET', url: base + path })).json(),
    post: async (path: string, payload: object) => {
      const answer = await app.inject({ method: 'POST', url: base + path, payload })
      return { status: answer.statusCode, body: answer.json() }
    },
  }
}

it('counts, filters and shows letters', async () => {
  const { get } = await server(['TYPE_MISMATCH', 'INVALID_JSON', 'INVALID_JSON'])
  const { counts } = await get('/counts')
  expect(counts).toMatchObject([
    { reason: 'INVALID_JSON', status: 'new', count: 2 },
    { reason: 'TYPE_MISMATCH', status: 'new', count: 1 },
  ])
  const { dead_letters: found } = await get('?reason=TYPE_MISMATCH&device_id=REF-1&status=new')
  expect(found).toHaveLength(1)
  const shown = await get(`/${found[0].id}`)
  expect(Buffer.from(shown.payload_base64, 'base64').toString()).toBe('{')
})

it('takes a repaired payload of the largest size, and bounds the request', async () => {
  const { get, post } = await server(['TYPE_MISMATCH', 'INVALID_JSON'])
  const { ids } = await get('/ids?limit=10')
  const letters = (sizeBytes: number) => ({
    letters: ids.map((id: string) => ({
      id,
      payload_base64: Buffer.from(message(sizeBytes)).toString('base64'),
    })),
  })
  const tooLarge = await post('/replay', letters(1_100_000))
  expect(tooLarge.status).toBe(413)
  const refused = await post('/replay', letters(262_145))
  expect(refused.body.results).toMatchObject([
    { result: 'refused', reason: 'PAYLOAD_TOO_LARGE' },
    { result: 'refused', reason: 'PAYLOAD_TOO_LARGE' },
  ])
  const stored = await post('/replay', letters(262_144))
  expect(stored.body.results.map(({ result }: { result: string }) => result)).toEqual([
    'replayed',
    'replayed',
  ])
  // Every other request keeps the small bound.
  const other = await post('/discard', { ids: ['x'.repeat(300_000)] })
  expect(other.status).toBe(413)
})
