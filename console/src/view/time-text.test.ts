import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { agoText, countdown, durationText } from './time-text.ts'

const nowMs = Date.UTC(2026, 1, 15, 10)
const open = {
  status: 'OPEN',
  sla_deadline: new Date(nowMs + 20 * 60_000).toISOString(),
  sla_breached: false,
  acknowledged_at: null,
}

describe('lengths of time', () => {
  it('use at most two units', () => {
    expect([45_000, 720_000, 12_000_000, 187_200_000].map(durationText)).toEqual([
      '45 s',
      '12 min',
      '3 h 20 min',
      '2 d 4 h',
    ])
  })
  it('are never negative, whatever the clocks say', () => {
    fc.assert(
      fc.property(fc.integer(), (ms) => {
        expect(durationText(ms)).not.toContain('-')
      }),
    )
    expect(agoText(nowMs + 5000, nowMs)).toBe('just now')
  })
})

describe('the countdown of an alert, SRV-42', () => {
  it('is calm, then soon, then overdue as time passes', () => {
    const at = (minutes: number) => countdown(open, nowMs + minutes * 60_000)
    expect(at(0)).toEqual({ text: '20 min left', urgency: 'calm' })
    expect(at(5).urgency).toBe('soon')
    expect(at(20)).toEqual({ text: '0 s overdue', urgency: 'overdue' })
    expect(at(95).text).toBe('1 h 15 min overdue')
  })
  it('stops when somebody acknowledges, and a breach stays visible', () => {
    const acknowledged = { ...open, status: 'ACKNOWLEDGED', acknowledged_at: open.sla_deadline }
    expect(countdown(acknowledged, nowMs + 9e6).text).toBe('acknowledged in time')
    expect(countdown({ ...acknowledged, sla_breached: true }, nowMs).text).toBe('acknowledged late')
  })
})
