import { describe, expect, it } from 'vitest'
import { commandSentence, presenceSentence, twinRows, typedJson, versionOf } from './twin-rows.ts'

describe('a twin on the page', () => {
  it('puts what the unit has not done yet first, and leaves versions out', () => {
    const rows = twinRows({
      properties: {
        desired: { $version: 4, fan: { speed: 3, mode: 'auto' }, setpoint: -18, light: true },
        reported: {
          $version: 9,
          fan: { mode: 'auto' },
          setpoint: -17,
          firmware: '3.2.1',
          light: { value: true, ac: 200, av: 4 },
        },
      },
    })
    expect(rows.map(({ name, state }) => [name, state])).toEqual([
      ['fan.speed', 'not reported'],
      ['setpoint', 'differs'],
      ['fan.mode', 'same'],
      ['firmware', 'reported only'],
      ['light', 'same'],
      ['light.ac', 'reported only'],
      ['light.av', 'reported only'],
      ['light.value', 'reported only'],
    ])
    expect(rows[1]).toMatchObject({ desired: '-18', reported: '-17' })
    expect(versionOf({ $version: 4 })).toBe(4)
    expect(twinRows({ properties: { desired: {}, reported: {} } })).toEqual([])
  })
})

describe('a unit and its commands', () => {
  it('are told in words', () => {
    const presence = { device_id: 'A', connected: true, reporting: true, changed_at: null }
    expect(presenceSentence(presence)).toBe('Connected')
    expect(presenceSentence({ ...presence, reporting: false })).toBe('Connected, stopped reporting')
    expect(presenceSentence({ ...presence, connected: null, reporting: null })).toMatch(
      /^Not heard/,
    )
    const command = {
      audit_id: 1,
      asked_at: '',
      done_at: '',
      command: 'call method',
      by: 'ada',
      role: 'admin',
      source: 'api',
      parameters: { method: 'reboot' },
      result: 'ok' as const,
      answer: { status: 200 },
      reason: null,
    }
    expect(commandSentence(command)).toBe('call reboot: answered 200')
    expect(commandSentence({ ...command, result: 'failed', reason: 'no answer' })).toBe(
      'call reboot: no answer',
    )
  })

  it('take JSON as it is typed', () => {
    expect(typedJson('{"a":1}')).toEqual({ kind: 'json', value: { a: 1 } })
    expect(typedJson('  ')).toEqual({ kind: 'json', value: undefined })
    expect(typedJson('{')).toMatchObject({ kind: 'wrong' })
  })
})
