import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AlertActionName, type Role, roles } from '../objects/index.ts'
import { allowedActions } from './allowed-actions.ts'
import { type AlertActionPath, alertDetailSchema, alertPageSchema } from './schemas/alert-schema.ts'
import {
  alertRow,
  deviceRow,
  minuteMs,
  startMs,
  type TemporaryServer,
  temporaryServer,
} from './test-support.ts'

let test: TemporaryServer

beforeEach(async () => {
  test = await temporaryServer()
  await test.state.registry.upsert([deviceRow('UNIT-1')])
})

afterEach(async () => {
  expect(test.failures).toEqual([])
  await test.remove()
})

const action = (name: string, alertId = 'a') => `/api/v1/alerts/${alertId}/actions/${name}`

describe('the work list', () => {
  it('is in the order to act and hides suppressed and closed alerts', async () => {
    await test.addAlerts(
      alertRow('low', { severity: 'LOW' }),
      alertRow('late', { sla_deadline: startMs + 90 * minuteMs }),
      alertRow('soon', { sla_deadline: startMs + 5 * minuteMs }),
      alertRow('critical', { severity: 'CRITICAL' }),
      alertRow('hidden', { suppressed: true }),
      alertRow('closed', { status: 'RESOLVED', resolved_at: startMs }),
    )
    const ids = async (query: string) => {
      const page = alertPageSchema.parse((await test.get(`/api/v1/alerts${query}`)).body)
      return page.alerts.map(({ alert_id: id }) => id)
    }
    expect(await ids('')).toEqual(['critical', 'soon', 'late', 'low'])
    expect(await ids('?severity=LOW,CRITICAL')).toEqual(['critical', 'low'])
    expect(await ids('?suppressed=true')).toContain('hidden')
    expect(await ids('?status=closed')).toEqual(['closed'])
    expect((await ids('?status=all')).toSorted()).toEqual([
      'closed',
      'critical',
      'late',
      'low',
      'soon',
    ])
    expect(await ids('?device=UNIT-2')).toEqual([])
  })
  it('names a wrong filter value and what is expected', async () => {
    expect(await test.get('/api/v1/alerts?severity=URGENT')).toMatchObject({
      status: 400,
      body: { where: 'query.severity', found: 'URGENT', type: '/problems/invalid-request' },
    })
  })
})

describe('an action on an alert, OBJ-15', () => {
  it('changes the alert once, records who did it, and tells what may be done next', async () => {
    await test.addAlerts(alertRow('a'))
    const done = await test.post(action('acknowledge'), {
      expected_version: 1,
      operator_notes: 'on it',
    })
    expect(done.status).toBe(200)
    const detail = alertDetailSchema.parse(done.body)
    expect(detail).toMatchObject({ status: 'ACKNOWLEDGED', acknowledged_by: 'local-operator' })
    expect(detail.allowed_actions).not.toContain('acknowledge')
    expect(detail.history.at(-1)).toMatchObject({ action: 'AcknowledgeAlert', result: 'ok' })
  })
  it('gives the first result to a repeat with the same key, OBJ-3', async () => {
    await test.addAlerts(alertRow('a'))
    const key = { 'idempotency-key': 'the-same-key' }
    const first = await test.post(action('acknowledge'), { expected_version: 1 }, key)
    const second = await test.post(action('acknowledge'), { expected_version: 1 }, key)
    expect([first.status, second.status]).toEqual([200, 200])
    expect(second.body.version).toBe(first.body.version)
  })
  it('is refused with 409 when somebody was faster, and writes nothing', async () => {
    await test.addAlerts(alertRow('a'))
    await test.post(action('acknowledge'), { expected_version: 1 })
    const late = await test.post(action('resolve'), {
      expected_version: 1,
      resolution_code: 'NO_FAULT_FOUND',
      resolution_notes: 'all well',
    })
    expect(late).toMatchObject({ status: 409, body: { where: 'body.expected_version' } })
    expect(late.body.detail).toContain('version 2')
    expect((await test.get('/api/v1/alerts/a')).body.status).toBe('ACKNOWLEDGED')
  })
  it('says with a sentence why it is not possible', async () => {
    await test.addAlerts(alertRow('a'))
    const short = await test.post(action('false-positive'), {
      expected_version: 1,
      reason_code: 'DOOR',
      reason: 'short',
    })
    expect(short.status).toBe(400)
    expect(short.body.detail).toMatch(/10/)
    const start = await test.post(action('start'), { expected_version: 1 })
    expect(start).toMatchObject({ status: 403 })
    expect(start.body.detail).toContain('operator_lead')
    const unknown = await test.post(action('acknowledge', 'nobody'), { expected_version: 1 })
    expect(unknown.status).toBe(404)
  })
  it('needs a key and a version', async () => {
    await test.addAlerts(alertRow('a'))
    expect(await test.post(action('acknowledge'), { expected_version: 1 }, {})).toMatchObject({
      status: 400,
      body: { where: 'header Idempotency-Key' },
    })
    expect(await test.post(action('acknowledge'), {})).toMatchObject({
      status: 400,
      body: { where: 'body.expected_version' },
    })
  })
})

describe('the actions a page offers', () => {
  const names: Readonly<Record<Exclude<AlertActionPath, 'reopen'>, AlertActionName>> = {
    acknowledge: 'AcknowledgeAlert',
    assign: 'AssignAlert',
    start: 'StartWork',
    resolve: 'ResolveAlert',
    'false-positive': 'MarkFalsePositive',
    confirm: 'ConfirmAnomaly',
    escalate: 'EscalateAlert',
  }
  const parameters: Readonly<Record<string, unknown>> = {
    assignee: 'me',
    resolutionCode: 'DUPLICATE',
    notes: 'same as another',
    reasonCode: 'OTHER',
    reason: 'there was no fault at all',
    targetLevel: 'L2',
    escalatedTo: 'somebody',
  }
  it('are exactly those the store does not deny, for every role', async () => {
    for (const role of roles) {
      for (const [path, kind] of Object.entries(names)) {
        const row = alertRow(`${role} ${path}`, { device_id: `${role} ${path}` })
        await test.addAlerts(row)
        const offered = allowedActions(row, { id: 'me', role: role as Role })
        const result = await test.state.alerts.act({
          alertId: row.alert_id,
          action: { kind, ...parameters } as never,
          expectedVersion: 1,
          idempotencyKey: `key ${role} ${path}`,
          actor: { id: 'me', role: role as Role },
          source: 'api',
        })
        const isOffered = offered.some((name) => name === path)
        expect([role, path, isOffered]).toEqual([role, path, result.kind !== 'denied'])
      }
    }
  })
  it('are none on a suppressed alert and reopening on a closed one', () => {
    const actor = { id: 'me', role: 'technician' } as const
    expect(allowedActions(alertRow('s', { suppressed: true }), actor)).toEqual([])
    expect(allowedActions(alertRow('r', { status: 'RESOLVED' }), actor)).toEqual(['reopen'])
    const superseded = alertRow('x', { status: 'RESOLVED', resolution_code: 'SUPERSEDED' })
    expect(allowedActions(superseded, actor)).toEqual([])
  })
})
