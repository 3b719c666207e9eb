import { describe, expect, it } from 'vitest'
import { actionForm, formBody, formFault } from './action-form.ts'
import { historyLine } from './history-line.ts'

const form = actionForm('false-positive')
if (form === undefined) throw new Error('a false positive needs a form')

describe('the form of a false positive, OBJ-22', () => {
  it('says what is missing, one thing at a time', () => {
    expect(formFault(form, {})).toBe('Choose an answer to: What was it then?')
    expect(formFault(form, { reason_code: 'DOOR', reason: 'too short' })).toContain(
      'at least 10 characters',
    )
    expect(formFault(form, { reason_code: 'DOOR', reason: 'delivery all morning' })).toBeUndefined()
  })
  it('sends only what was filled in, a tick as true', () => {
    expect(
      formBody(form, { reason_code: 'DOOR', reason: ' a delivery ', inspected_on_site: 'on' }),
    ).toEqual({ reason_code: 'DOOR', reason: 'a delivery', inspected_on_site: true })
    expect(formBody(form, { reason_code: 'DOOR', reason: 'a delivery' })).not.toHaveProperty(
      'inspected_on_site',
    )
  })
  it('is not needed to acknowledge or to start', () => {
    expect([actionForm('acknowledge'), actionForm('start')]).toEqual([undefined, undefined])
  })
})

describe('the history of an alert, OBJ-34', () => {
  const entry = {
    audit_id: '1',
    at: '2026-02-15T10:00:00.000Z',
    actor_id: 'ann',
    actor_role: 'technician',
    source: 'console',
    action: 'ResolveAlert',
    result: 'ok',
    reason: null,
    parameters: { resolution_notes: 'coil cleaned' },
  }
  it('says who did what, with what they wrote', () => {
    expect(historyLine(entry)).toMatchObject({ who: 'ann', what: 'resolved', note: 'coil cleaned' })
  })
  it('shows refused attempts with their reason', () => {
    const line = historyLine({ ...entry, result: 'denied', reason: 'a viewer only reads' })
    expect(line).toMatchObject({
      what: 'resolved (not allowed)',
      note: 'a viewer only reads',
      isRefused: true,
    })
  })
  it('names the platform by its name and unknown actions by their words', () => {
    const line = historyLine({ ...entry, actor_role: 'service', action: 'SomethingNew' })
    expect(line).toMatchObject({ who: 'Isotherm', what: 'something new' })
  })
})
