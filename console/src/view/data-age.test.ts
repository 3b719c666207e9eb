import type { HealthView } from 'isotherm/http'
import { describe, expect, it } from 'vitest'
import { dataAge } from './data-age.ts'

const nowMs = Date.UTC(2026, 1, 15, 10)

function health(changes: Partial<HealthView> = {}): HealthView {
  return {
    status: 'ok',
    at: new Date(nowMs).toISOString(),
    score_state: 'fresh',
    newest_scored_at: null,
    newest_reading_at: new Date(nowMs - 30_000).toISOString(),
    tables: [],
    components: [],
    event_clients: 0,
    ...changes,
  }
}

describe('the age of the data, SRV-35 and OBJ-41', () => {
  it('is always shown, without a banner while fresh', () => {
    expect(dataAge(health(), nowMs)).toEqual({ state: 'fresh', text: 'data 30 s old', banner: '' })
  })
  it('says when nothing was ever received', () => {
    expect(dataAge(health({ newest_reading_at: null }), nowMs).state).toBe('empty')
  })
  it('grows late by the minute and with stale scores', () => {
    expect(dataAge(health(), nowMs + 11 * 60_000)).toMatchObject({ state: 'late' })
    expect(dataAge(health({ score_state: 'stale' }), nowMs).banner).toBe('Scores are delayed.')
    expect(dataAge(health({ score_state: 'expired' }), nowMs).banner).toContain('expired')
  })
  it('names the part that failed, before anything else', () => {
    const components = [{ name: 'scoring', state: 'failed' as const, detail: 'model damaged' }]
    const age = dataAge(health({ components, score_state: 'stale' }), nowMs)
    expect(age).toMatchObject({ state: 'failed' })
    expect(age.banner).toContain('scoring: model damaged')
  })
})
