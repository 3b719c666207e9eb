import { expect, onTestFinished, test } from 'vitest'
import { temporaryServer } from './test-support.ts'

test('enrollments are added, listed without keys, changed and removed', async () => {
  const server = await temporaryServer()
  onTestFinished(server.remove)
  const put = async (body: object) => {
    const response = await server.server.app.inject({
      method: 'PUT',
      url: '/api/v1/enrollments',
      headers: { 'content-type': 'application/json' },
      payload: JSON.stringify(body),
    })
    return { status: response.statusCode, body: response.json() }
  }
  const group = {
    enrollment_id: 'fridges',
    kind: 'group',
    attestation: { kind: 'symmetric_key' },
    device: { site_id: 'SITE-7' },
    initial_twin: { desired: { target: 4 } },
  }
  const made = await put(group)
  expect(made.status).toBe(200)
  expect(Buffer.from(made.body.primary_key, 'base64')).toHaveLength(64)
  expect((await put({ ...group, is_enabled: false })).body).toEqual({})
  const listed = await server.get('/api/v1/enrollments')
  expect(listed.body).toMatchObject({
    id_scope: server.state.enrollments.idScope,
    enrollments: [{ ...group, is_enabled: false, reprovision: 'migrate' }],
  })
  expect(JSON.stringify(listed.body)).not.toContain(made.body.primary_key)
  const own = {
    enrollment_id: 'sn-1',
    kind: 'individual',
    attestation: { kind: 'x509_thumbprint', primary_thumbprint: 'A'.repeat(64) },
  }
  expect((await put(own)).body).toEqual({})
  expect((await put({ ...own, kind: 'group' })).status).toBe(400)
  const removed = async () =>
    (await server.server.app.inject({ method: 'DELETE', url: '/api/v1/enrollments/sn-1' }))
      .statusCode
  expect([await removed(), await removed()]).toEqual([200, 404])
})
