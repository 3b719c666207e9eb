import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleFleet } from '../contracts/index.ts'
import type { GateResult } from '../quality/index.ts'
import { type Deployment, openDeployment, openQuality } from '../runtime/index.ts'
import { createHttpServer, type HttpServer } from './http-server.ts'
import { tokenHash } from './index.ts'
import { deviceRow, startMs } from './test-support.ts'

let folder: string
let deployment: Deployment
let server: HttpServer
let actions = 0

const failure: GateResult = {
  ...{ gateId: 'E2.7', table: 'clean_sensor_readings', severity: 'FAIL', isPassed: false },
  scope: { siteId: 'SITE-1', firmware: '3.1.0' },
  ...{ holds: 'rows', value: 0.9, limit: 0.5, rowCount: 120 },
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'isotherm-quality-http-'))
  deployment = await openDeployment({
    ...{ fleet: exampleFleet, dataDirectory: folder, threadCount: 1 },
    clock: () => startMs,
  })
  await deployment.state.registry.upsert([deviceRow('UNIT-1'), deviceRow('UNIT-2')])
  await deployment.state.gates.record([failure])
  const token = (id: string, role: 'viewer' | 'data_engineer') => ({
    sha256: tokenHash(id),
    identity: { id, role, name: id },
  })
  server = await createHttpServer({
    ...deployment,
    registry: deployment.models,
    quality: openQuality(deployment, () => {
      actions += 1
    }),
    clock: () => startMs,
    authentication: {
      kind: 'tokens',
      tokens: [token('reader', 'viewer'), token('engineer', 'data_engineer')],
    },
  })
})

afterAll(async () => {
  await server.close()
  await deployment.close()
  rmSync(folder, { recursive: true, force: true })
})

async function ask(
  method: 'GET' | 'POST' | 'PUT',
  url: string,
  body?: unknown,
  token = 'engineer',
) {
  const response = await server.app.inject({
    ...{ method, url: `/api/v1/quality${url}` },
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { payload: JSON.stringify(body) }),
  })
  return { status: response.statusCode, body: response.json() }
}

describe('the quality routes', () => {
  it('report the fleet by site and firmware, with gates and expectations', async () => {
    const { status, body } = await ask('GET', '/report', undefined, 'reader')
    expect(status).toBe(200)
    expect(body.total).toMatchObject({ device_count: 2, state: 'held', open_gate_ids: ['E2.7'] })
    expect(body.slices).toMatchObject([{ site_id: 'SITE-1', firmware_version: '3.1.0' }])
    const ids = body.expectations.map(({ id }: { id: string }) => id)
    expect(ids).toEqual(
      expect.arrayContaining(['E1.1', 'E2.8', 'E3.7', 'E4.2', 'E5.3', 'E6.1', 'E7.1']),
    )
  })

  it('give the report as HTML that is closed in itself', async () => {
    const { body } = await ask('GET', '/report-file')
    expect(body.html).toContain('SITE-1')
    expect(body.html).not.toMatch(/<script|src=|href=|url\(|@import/)
  })

  it('let an engineer decide, and nobody else', async () => {
    const { body } = await ask('GET', '/gates?status=open')
    const [{ entry_id: entryId }] = body.gates
    const path = `/gates/${entryId}/decision`
    expect((await ask('POST', path, { decision: 'release' }, 'reader')).status).toBe(403)
    expect((await ask('POST', path, { decision: 'forget' })).status).toBe(400)
    expect((await ask('POST', '/gates/none/decision', { decision: 'retry' })).status).toBe(404)
    const decided = await ask('POST', path, { decision: 'release', note: 'known' })
    expect(decided.body).toMatchObject({ status: 'open', decision: 'release' })
    expect(actions).toBe(1)
  })

  it('change a limit and put it back', async () => {
    const limitOf = async () =>
      (await ask('GET', '/report')).body.expectations.find(
        ({ id }: { id: string }) => id === 'E2.7',
      )
    expect((await ask('PUT', '/expectations/E2.7', { limit: 0.2, hold_limit: null })).status).toBe(
      200,
    )
    expect(await limitOf()).toMatchObject({ limit: 0.2, hold_limit: null })
    await ask('PUT', '/expectations/E2.7', {})
    expect(await limitOf()).toMatchObject({ limit: 0.05, hold_limit: 0.5 })
    expect((await ask('PUT', '/expectations/E9.9', {})).status).toBe(404)
  })

  it('list no sensors before any were graded', async () => {
    expect((await ask('GET', '/sensors')).body).toEqual({ graded_at: null, sensors: [] })
  })
})
