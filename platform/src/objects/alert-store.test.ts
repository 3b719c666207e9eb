import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Severity } from '../contracts/index.ts'
import type { AlertChange } from './alert-change.ts'
import { isActive, severityRank } from './alert-record.ts'
import { alertRecord, request, startMs, temporaryState } from './test-support.ts'

async function opened() {
  const store = await temporaryState()
  onTestFinished(store.remove)
  return store
}

describe('the alert store (C6)', () => {
  it('creates an alert once, however often it is told to', async () => {
    const { state } = await opened()
    const create: AlertChange = { kind: 'create', record: alertRecord('a-1') }
    expect((await state.alerts.apply([create, create])).created).toHaveLength(1)
    expect((await state.alerts.apply([create])).written).toEqual([])
    expect((await state.alerts.get('a-1'))?.row).toEqual(alertRecord('a-1').row)
  })

  it('pages through any set of alerts in order, each exactly once', async () => {
    const alert = fc.record({
      severity: fc.constantFrom<Severity>('LOW', 'MEDIUM', 'HIGH', 'CRITICAL'),
      deadline: fc.integer({ min: 0, max: 5 }),
      created: fc.integer({ min: 0, max: 5 }),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(alert, { maxLength: 25 }),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom('triage' as const, 'newest' as const),
        async (list, limit, order) => {
          const store = await temporaryState()
          try {
            const records = list.map(({ severity, deadline, created }, index) =>
              alertRecord(`a-${String(index).padStart(2, '0')}`, {
                severity,
                sla_deadline: startMs + deadline,
                alert_created_at: startMs + created,
              }),
            )
            const { alerts } = store.state
            await alerts.apply(records.map((record) => ({ kind: 'create', record })))
            const seen: string[] = []
            let cursor: string | undefined
            do {
              const page = await alerts.query({
                order,
                limit,
                ...(cursor === undefined ? {} : { cursor }),
              })
              seen.push(...page.alerts.map(({ alert_id }) => alert_id))
              cursor = page.nextCursor
            } while (cursor !== undefined)
            const expected = records
              .map(({ row }) => row)
              .toSorted((left, right) =>
                order === 'triage'
                  ? severityRank(right.severity) - severityRank(left.severity) ||
                    left.sla_deadline - right.sla_deadline ||
                    (left.alert_id < right.alert_id ? -1 : 1)
                  : right.alert_created_at - left.alert_created_at ||
                    (left.alert_id < right.alert_id ? -1 : 1),
              )
            expect(seen).toEqual(expected.map(({ alert_id }) => alert_id))
          } finally {
            await store.remove()
          }
        },
      ),
      { numRuns: 15 },
    )
  })

  it('filters by device, status, severity and activity', async () => {
    const { state } = await opened()
    await state.alerts.apply(
      [
        alertRecord('a-1'),
        alertRecord('a-2', { device_id: 'REF-2', severity: 'LOW' }),
        alertRecord('a-3', { suppressed: true }),
        alertRecord('a-4', { status: 'RESOLVED' }),
      ].map((record) => ({ kind: 'create', record })),
    )
    const ids = async (query: Parameters<typeof state.alerts.query>[0]) =>
      (await state.alerts.query(query)).alerts.map(({ alert_id }) => alert_id).toSorted()
    expect(await ids({})).toEqual(['a-1', 'a-2', 'a-4'])
    expect(await ids({ includeSuppressed: true })).toHaveLength(4)
    expect(await ids({ active: true })).toEqual(['a-1', 'a-2'])
    expect(await ids({ deviceId: 'REF-2' })).toEqual(['a-2'])
    expect(await ids({ statuses: ['RESOLVED', 'FALSE_POSITIVE'] })).toEqual(['a-4'])
    expect(await ids({ severities: ['LOW'] })).toEqual(['a-2'])
    expect(await ids({ siteIds: [] })).toEqual([])
    expect((await state.alerts.active()).map(({ row }) => row.alert_id)).toEqual(['a-1', 'a-2'])
  })

  it('hands out every change exactly once in order, with the alert as it now is', async () => {
    const { state } = await opened()
    const { alerts } = state
    for (let index = 0; index < 7; index++) {
      await alerts.apply([{ kind: 'create', record: alertRecord(`a-${index}`) }])
    }
    await alerts.act(
      request('a-0', { kind: 'MarkFalsePositive', reasonCode: 'DOOR', reason: 'door stood open' }),
    )
    const seen: string[] = []
    let labelCount = 0
    let after = 0
    for (;;) {
      const page = await alerts.changesSince(after, 3)
      seen.push(...page.alerts.map(({ alert_id, status }) => `${alert_id} ${status}`))
      labelCount += page.labels.length
      after = page.sequence
      if (!page.more) break
    }
    expect(seen).toEqual([
      ...Array.from({ length: 6 }, (_, index) => `a-${index + 1} OPEN`),
      'a-0 FALSE_POSITIVE',
    ])
    expect(labelCount).toBe(1)
    expect(after).toBe(await alerts.sequence())
    expect(await alerts.changesSince(after)).toMatchObject({ alerts: [], labels: [], more: false })
  })

  it('tells listeners after the write, and the summary in memory agrees with the table', async () => {
    const store = await opened()
    const told: string[] = []
    store.state.alerts.onChange((records) => told.push(...records.map(({ row }) => row.alert_id)))
    await store.state.alerts.apply([
      { kind: 'create', record: alertRecord('a-1') },
      { kind: 'create', record: alertRecord('a-2', { severity: 'CRITICAL' }) },
    ])
    expect(told).toEqual(['a-1', 'a-2'])
    expect(store.state.alerts.summary('REF-1')).toEqual({ count: 2, highest: 'CRITICAL' })
    await store.state.alerts.act(
      request('a-2', { kind: 'ResolveAlert', resolutionCode: 'DUPLICATE', notes: 'same as a-1' }),
    )
    expect(store.state.alerts.summary('REF-1')).toEqual({ count: 1, highest: 'HIGH' })
    expect((await store.reopen()).alerts.summary('REF-1')).toEqual({ count: 1, highest: 'HIGH' })
  })
})

describe('changes by the platform (OBJ-2)', () => {
  const successor = (id: string, keepStatus: boolean): AlertChange => ({
    kind: 'succeed',
    record: alertRecord(id, { predecessor_alert_id: 'a-1' }),
    predecessorId: 'a-1',
    keepStatus,
  })

  it('lets a successor inherit the work on its predecessor, which closes as superseded (SRV-40)', async () => {
    const { state } = await opened()
    await state.alerts.apply([{ kind: 'create', record: alertRecord('a-1') }])
    await state.alerts.act(request('a-1', { kind: 'AssignAlert', assignee: 'ann' }))
    await state.alerts.apply([successor('a-2', true)])
    expect((await state.alerts.get('a-2'))?.row).toMatchObject({
      status: 'ACKNOWLEDGED',
      assignee_id: 'ann',
    })
    expect((await state.alerts.get('a-1'))?.row).toMatchObject({
      status: 'RESOLVED',
      resolution_code: 'SUPERSEDED',
      resolved_by: 'service',
    })
    expect((await state.alerts.history('a-1')).at(-1)).toMatchObject({
      action: 'SupersedeAlert',
      actorRole: 'service',
    })
    await state.alerts.apply([successor('a-2', true)])
    expect(await state.alerts.history('a-1')).toHaveLength(2)
  })

  it('starts an alert of its own if a person closed the predecessor meanwhile', async () => {
    const { state } = await opened()
    await state.alerts.apply([{ kind: 'create', record: alertRecord('a-1') }])
    await state.alerts.act(
      request('a-1', { kind: 'MarkFalsePositive', reasonCode: 'DOOR', reason: 'door stood open' }),
    )
    await state.alerts.apply([successor('a-2', true)])
    expect((await state.alerts.get('a-2'))?.row.status).toBe('OPEN')
    expect((await state.alerts.get('a-1'))?.row.status).toBe('FALSE_POSITIVE')
  })

  it('softens an open alert to resolved but leaves an acknowledged one to its person (SRV-22)', async () => {
    const { state } = await opened()
    await state.alerts.apply([
      { kind: 'create', record: alertRecord('a-1') },
      { kind: 'create', record: alertRecord('a-2') },
    ])
    await state.alerts.act(request('a-2', { kind: 'AcknowledgeAlert' }))
    await state.alerts.apply([
      { kind: 'soften', alertId: 'a-1' },
      { kind: 'soften', alertId: 'a-2' },
    ])
    expect((await state.alerts.get('a-1'))?.row).toMatchObject({
      alert_type: 'ANOMALY_RESOLVED',
      status: 'RESOLVED',
      resolution_code: 'TRANSIENT',
    })
    expect((await state.alerts.get('a-2'))?.row).toMatchObject({
      alert_type: 'ANOMALY_RESOLVED',
      status: 'ACKNOWLEDGED',
    })
    expect(await state.alerts.labels('a-1')).toEqual([])
  })

  it('writes nothing when the same changes are applied again, whatever their order', async () => {
    const creates: readonly AlertChange[] = [
      { kind: 'create', record: alertRecord('a-1', { severity: 'MEDIUM' }) },
      { kind: 'create', record: alertRecord('a-3') },
    ]
    const change = fc.constantFrom<AlertChange>(
      successor('a-2', false),
      { kind: 'confirm', alertId: 'a-3', scoreId: 's', modelIds: ['m'] },
      { kind: 'soften', alertId: 'a-3' },
      { kind: 'self_clear', alertId: 'a-1' },
      { kind: 'breach_sla', alertId: 'a-3' },
      { kind: 'auto_escalate', alertId: 'a-3', level: 'L2' },
      { kind: 'correlate', alertId: 'a-3', alertIds: ['a-1'] },
      { kind: 'repeat', alertId: 'a-3', lastBreachMs: startMs + 9, breachCount: 4 },
      { kind: 'quiet', alertId: 'a-3', quietRuns: 1, windowEndMs: startMs },
    )
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(change, { maxLength: 9 }), async (changes) => {
        const store = await temporaryState()
        try {
          const { alerts } = store.state
          await alerts.apply([...creates, ...changes])
          expect((await alerts.apply([...creates, ...changes])).written).toEqual([])
          expect(alerts.summary('REF-1').count).toBe((await alerts.active()).length)
          expect((await alerts.active()).every(({ row }) => isActive(row))).toBe(true)
        } finally {
          await store.remove()
        }
      }),
      { numRuns: 20 },
    )
  })
})
