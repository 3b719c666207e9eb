import { expect, it, onTestFinished } from 'vitest'
import type { ScoringOutcome } from '../scoring/index.ts'
import { scoringRunOf } from './scoring-run.ts'
import { detectStorm } from './storm.ts'
import { hourMs, startMs, temporaryState, testFleet } from './test-support.ts'

it('a scoring outcome becomes a run with evidence, score ids and the scores before it', async () => {
  const store = await temporaryState()
  onTestFinished(store.remove)
  const { state } = store
  const windowStartMs = startMs - hourMs
  const flagged: ScoringOutcome['flagged'][number] = {
    scoreId: 'score-1',
    deviceId: 'D-1',
    cohortId: null,
    modelId: 'isolation_forest',
    modelVersion: '1.0.0',
    durationMinutes: 60,
    windowStartMs,
    windowEndMs: startMs,
    granularity: 'fleet',
    score: 0.9,
    rawScore: 0.6,
    sensorCompleteness: 0.95,
    confidence: 'normal',
    isDataQuality: true,
    contributors: [
      {
        feature: 'temp_mean',
        contribution: 0.7,
        direction: 'high',
        value: -14,
        referenceMedian: -24,
        referenceScale: 0.5,
        isImputed: true,
      },
    ],
  }
  const outcome: ScoringOutcome = {
    runId: 'run-7',
    scoredAtMs: startMs,
    models: [],
    flagged: [flagged, { ...flagged, scoreId: 'score-2', durationMinutes: 15, score: 0.7 }],
    eligible: new Map([
      [
        'D-1',
        {
          scores: { isolation_forest: 0.9, statistical_baseline: 0.4 },
          ...{ windowStartMs, windowEndMs: startMs, sensorCompleteness: 0.95 },
        },
      ],
    ]),
    exclusions: [],
    isPartial: false,
  }
  const run = scoringRunOf({ outcome, state, fleet: testFleet, nowMs: startMs })
  expect(run.evidence('D-2')).toBeUndefined()
  expect(run.evidence('D-1')).toMatchObject({
    completeness: 0.95,
    windows: [
      { modelId: 'isolation_forest', score: 0.9, scoreId: 'score-1', windowEndMs: startMs },
      { modelId: 'statistical_baseline', score: 0.4, scoreId: null },
    ],
  })
  // A value nobody measured is not shown as if somebody had.
  expect(run.flagged[0]).toMatchObject({ dataQuality: true, contributors: [{ value: null }] })
  expect(run.previousScore('D-1', 'isolation_forest', 60)).toBeUndefined()
})

it('a storm is more CRITICAL alerts than the fleet can explain, or a run that flags too much (SRV-44)', () => {
  const calm = {
    fleetSize: 50_000,
    recentCriticalCount: 500,
    flaggedDeviceCount: 150,
    scoredDeviceCount: 1_000,
  }
  expect(detectStorm(calm)).toBe('none')
  expect(detectStorm({ ...calm, recentCriticalCount: 501 })).toBe('critical_rate')
  expect(detectStorm({ ...calm, fleetSize: 10, recentCriticalCount: 100 })).toBe('none')
  expect(detectStorm({ ...calm, flaggedDeviceCount: 151 })).toBe('flagged_share')
})
