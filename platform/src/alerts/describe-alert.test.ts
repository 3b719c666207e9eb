import { describe, expect, it } from 'vitest'
import { describeAlert, indexFeatures } from './describe-alert.ts'
import { formatNormal, formatNumber } from './format-value.ts'
import type { Contributor } from './scored-window.ts'
import { minuteMs, startMs, testFleet } from './test-support.ts'

const features = indexFeatures(testFleet)

function text(contributors: readonly Contributor[], modelIds = ['isolation_forest']) {
  return describeAlert({
    fleet: testFleet,
    features,
    contributors,
    severity: 'HIGH',
    modelIds,
    sinceMs: startMs,
    durationMinutes: 60,
    nowMs: startMs + 5 * minuteMs,
  })
}

const warm: Contributor = {
  feature: 'temp_mean',
  value: -14.23,
  referenceMedian: -24.81,
  referenceScale: 0.62,
  direction: 'high',
  contribution: 0.7,
}

describe('an alert in plain words', () => {
  it('says what is unusual, by how much, since when, what to check and until when', () => {
    const door: Contributor = {
      feature: 'door_open_fraction',
      value: 0.352,
      referenceMedian: 0.05,
      referenceScale: 0.02,
      direction: 'high',
      contribution: 0.2,
    }
    expect(text([warm, door], ['isolation_forest', 'statistical_baseline'])).toEqual({
      title: 'Temperature is higher than usual: −14.2 °C, normally −24.8 ± 0.6 °C',
      description: [
        'This unit behaves unusually since 2026-02-15 10:00 UTC, seen over 60 min.',
        'Temperature is higher than usual: −14.2 °C, normally −24.8 ± 0.6 °C.',
        'Door open for more of the time than usual: 35 %, normally 5 ± 2 %.',
        'Check the fan first.',
        '2 models agree.',
        'Acknowledge within 2 h, by 2026-02-15 12:05 UTC. Be on site within 24 h.',
      ].join('\n'),
    })
  })

  it('shows slopes per hour and whole units where the sensor knows no better', () => {
    const slope = {
      ...warm,
      feature: 'temp_slope',
      value: 0.031,
      referenceMedian: 0,
      referenceScale: 0.004,
    }
    expect(text([slope]).title).toBe(
      'Temperature rises faster than usual: 1.9 °C/h, normally 0.0 ± 0.2 °C/h',
    )
    const pressure = {
      ...warm,
      feature: 'pressure_p95',
      value: 211.4,
      referenceMedian: 305.7,
      referenceScale: 8.2,
      direction: 'low' as const,
    }
    expect(text([pressure]).title).toBe(
      'Peaks of pressure are lower than usual: 211 kPa, normally 306 ± 8 kPa',
    )
  })

  it('leaves out a value nobody measured and a spread too small to show', () => {
    expect(text([{ ...warm, value: null }]).title).toBe(
      'Temperature is higher than usual, normally −24.8 ± 0.6 °C',
    )
    expect(text([{ ...warm, referenceScale: 0.01 }]).title).toBe(
      'Temperature is higher than usual: −14.2 °C, normally −24.8 °C',
    )
  })

  it('still says something when no model explains itself or a feature is unknown', () => {
    expect(text([]).title).toBe('Unusual behaviour of this unit')
    expect(text([{ ...warm, feature: 'retired' }]).title).toBe('Retired is higher than usual')
  })

  it('never speaks of failure or probability', () => {
    const { title, description } = text([warm])
    expect(`${title} ${description}`).not.toMatch(/fail|probab|likel|%\s*chance/i)
  })

  it('writes a real minus and no minus zero', () => {
    expect(formatNumber(-0.04, 1)).toBe('0.0')
    expect(formatNumber(-1.25, 1)).toBe('\u22121.3')
    expect(formatNormal(-0.5, -0.2, { unit: 'K', factor: 1, decimals: 1 })).toBe(
      '\u22120.5 ± 0.2 K',
    )
  })
})
