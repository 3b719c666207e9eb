import fc from 'fast-check'
import type { AlertView } from 'isotherm/http'
import { describe, expect, it } from 'vitest'
import { noWorkFilters } from './route.ts'
import { exampleAlert, exampleNowMs } from './test-support.ts'
import { compareUrgency, moveFocus, workList } from './work-list.ts'

const minute = (minutes: number) => new Date(exampleNowMs + minutes * 60_000).toISOString()

const alerts = fc
  .uniqueArray(
    fc.record({
      alert_id: fc.uuid(),
      severity: fc.constantFrom('LOW', 'MEDIUM', 'HIGH', 'CRITICAL'),
      sla_deadline: fc.integer({ min: -600, max: 600 }).map(minute),
      anomaly_score: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      suppressed: fc.boolean(),
      device_id: fc.constantFrom('REF-1', 'REF-2', 'REF-3'),
    }),
    { selector: ({ alert_id: id }) => id, maxLength: 30 },
  )
  .map((list) => list.map((changes) => exampleAlert(changes)))

const ids = (list: readonly AlertView[]) => list.map(({ alert_id: id }) => id)

describe('the work list', () => {
  it('is in the order to act whatever order the alerts came in', () => {
    fc.assert(
      fc.property(alerts, fc.infiniteStream(fc.double({ noNaN: true })), (list, noise) => {
        const shuffled = list
          .map((alert) => ({ alert, key: noise.next().value ?? 0 }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ alert }) => alert)
        expect(ids(shuffled.toSorted(compareUrgency))).toEqual(ids(list.toSorted(compareUrgency)))
      }),
    )
  })
  it('puts severity before deadline, deadline before score', () => {
    const critical = exampleAlert({ alert_id: 'c', severity: 'CRITICAL', sla_deadline: minute(90) })
    const soon = exampleAlert({ alert_id: 's', sla_deadline: minute(5), anomaly_score: 0.86 })
    const later = exampleAlert({ alert_id: 'l', sla_deadline: minute(50), anomaly_score: 0.99 })
    const strong = exampleAlert({ alert_id: 'm', sla_deadline: minute(50), anomaly_score: 1 })
    const order = [later, strong, soon, critical].toSorted(compareUrgency)
    expect(ids(order)).toEqual(['c', 's', 'm', 'l'])
  })
  it('shows every alert once, suppressed ones only behind the switch', () => {
    fc.assert(
      fc.property(alerts, fc.boolean(), (list, isSuppressedShown) => {
        const shown = workList(list, { ...noWorkFilters, isSuppressedShown }, exampleNowMs)
        const expected = list.filter((alert) => isSuppressedShown || !alert.suppressed)
        expect(shown.order.toSorted()).toEqual(ids(expected).toSorted())
      }),
    )
  })
  it('groups three or more correlated alerts of a site under one heading, SRV-44', () => {
    const together = ['a', 'b', 'c'].map((id) =>
      exampleAlert({ alert_id: id, device_id: id, correlated_alert_ids: ['a', 'b', 'c'] }),
    )
    const alone = exampleAlert({ alert_id: 'z', severity: 'LOW', correlated_alert_ids: ['gone'] })
    const { groups } = workList([alone, ...together], noWorkFilters, exampleNowMs)
    expect(groups.map((group) => group.cards.length)).toEqual([3, 1])
    expect(groups[0]?.heading).toBe('3 units at Oslo Harbour show this together')
    expect(groups[1]?.heading).toBe('')
  })
  it('sums up what is to do', () => {
    const overdue = exampleAlert({ alert_id: 'o', sla_deadline: minute(-1) })
    expect(workList([exampleAlert(), overdue], noWorkFilters, exampleNowMs).summary).toBe(
      '2 alerts on 1 unit, 1 overdue',
    )
    expect(workList([], noWorkFilters, exampleNowMs).summary).toBe('Nothing to act on')
  })
})

describe('the keyboard focus', () => {
  it('walks the list and stays at its ends', () => {
    const order = ['a', 'b', 'c']
    expect(moveFocus(order, '', 1)).toBe('a')
    expect(moveFocus(order, 'a', 1)).toBe('b')
    expect(moveFocus(order, 'c', 1)).toBe('c')
    expect(moveFocus(order, 'a', -1)).toBe('a')
    expect(moveFocus([], 'a', 1)).toBe('')
  })
})
