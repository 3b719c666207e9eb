import { describe, expect, it } from 'vitest'
import type { ModelSpec } from '../contracts/index.ts'
import { compareVersions, nextVersion } from './model-version.ts'

const spec: ModelSpec = {
  kind: 'isolation_forest',
  modelId: 'isolation_forest',
  features: 'all',
  windowMinutes: [60],
  contamination: 0.05,
  seed: 42,
  treeCount: 200,
  sampleSize: 256,
  cleaningFraction: 0.02,
}
const features = ['a', 'b']
const previous = { spec, features, modelVersion: '1.4.2' }

describe('model versions (MOD-3)', () => {
  it('begin at 1.0.0', () => {
    expect(nextVersion(undefined, { spec, features }, 'retrain')).toBe('1.0.0')
  })

  it('step major for other features or hyper-parameters, minor for a retrain, patch for calibration', () => {
    expect(nextVersion(previous, { spec, features: ['a'] }, 'retrain')).toBe('2.0.0')
    expect(nextVersion(previous, { spec: { ...spec, treeCount: 100 }, features }, 'retrain')).toBe(
      '2.0.0',
    )
    expect(nextVersion(previous, { spec, features }, 'retrain')).toBe('1.5.0')
    const cautious = { ...spec, contamination: 0.03 }
    expect(nextVersion(previous, { spec: cautious, features }, 'calibration')).toBe('1.4.3')
  })

  it('compare as numbers, not as text', () => {
    expect(['1.10.0', '1.9.0', '1.9.12'].sort(compareVersions)).toEqual([
      '1.9.0',
      '1.9.12',
      '1.10.0',
    ])
  })

  it('are refused unless they are three numbers', () => {
    expect(() => compareVersions('1.0', '1.0.0')).toThrow(/major\.minor\.patch/)
  })
})
