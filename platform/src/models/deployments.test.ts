import { describe, expect, it } from 'vitest'
import { type DeploymentRow, deploymentsInForce, parseDeployments, stageOf } from './deployments.ts'

const hour = (count: number) => Date.UTC(2026, 0, 1, count)
const row = (
  modelVersion: string,
  fromHour: number,
  more: Partial<DeploymentRow> = {},
): DeploymentRow => ({
  model_id: 'isolation_forest',
  granularity: 'fleet',
  window_duration_minutes: 60,
  slice: '*',
  model_version: modelVersion,
  deployment_role: 'champion',
  traffic_fraction: 1,
  effective_from: new Date(hour(fromHour)).toISOString(),
  effective_to: null,
  set_by: 'test',
  reason: 'test',
  ...more,
})
const key = (modelVersion: string) => ({
  modelId: 'isolation_forest',
  durationMinutes: 60,
  modelVersion,
})

describe('deployments (SRV-25)', () => {
  it('take effect from their instant on, and the newest row wins', () => {
    const rows = [row('1.0.0', 1), row('1.1.0', 5)]
    expect(deploymentsInForce(rows, hour(0))).toEqual([])
    expect(deploymentsInForce(rows, hour(4)).map((item) => item.model_version)).toEqual(['1.0.0'])
    expect(deploymentsInForce(rows, hour(5)).map((item) => item.model_version)).toEqual(['1.1.0'])
  })

  it('roll back by one new row, also within the same instant', () => {
    const rows = [row('1.0.0', 1), row('1.1.0', 5), row('1.0.0', 5)]
    expect(deploymentsInForce(rows, hour(6)).map((item) => item.model_version)).toEqual(['1.0.0'])
    expect(stageOf(key('1.1.0'), rows, hour(6))).toBe('ROLLED_BACK')
    expect(stageOf(key('1.0.0'), rows, hour(6))).toBe('RELEASED')
  })

  it('end where the newest row ends, without falling back to an older one', () => {
    const ended = row('1.1.0', 2, { effective_to: new Date(hour(3)).toISOString() })
    expect(deploymentsInForce([row('1.0.0', 1), ended], hour(4))).toEqual([])
  })

  it('keep roles and durations apart', () => {
    const rows = [
      row('1.0.0', 1),
      row('1.1.0', 1, { deployment_role: 'shadow' }),
      row('1.0.0', 1, { window_duration_minutes: 15 }),
    ]
    expect(deploymentsInForce(rows, hour(2))).toHaveLength(3)
    expect(stageOf(key('1.1.0'), rows, hour(2))).toBe('SHADOW')
    expect(stageOf(key('1.2.0'), rows, hour(2))).toBe('STAGING')
  })

  it('archive a champion that a newer one replaced', () => {
    expect(stageOf(key('1.0.0'), [row('1.0.0', 1), row('1.1.0', 2)], hour(3))).toBe('ARCHIVED')
  })

  it('are refused with the line number when a line is damaged', () => {
    const text = `${JSON.stringify(row('1.0.0', 1))}\n{"model_id":`
    expect(() => parseDeployments(text, 'deployments.ndjson')).toThrow(/line 2: it is no JSON/)
    expect(() => parseDeployments('{"model_id":1}\n', 'x')).toThrow(/line 1: a field is missing/)
  })
})
