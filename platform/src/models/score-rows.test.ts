import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ModelSpec } from '../contracts/index.ts'
import { decodeArtifact, encodeArtifact, type ModelArtifact } from './artifact.ts'
import { explainRows } from './explain-rows.ts'
import { type FeatureRows, selectFeatureRows } from './feature-rows.ts'
import { fitArtifact } from './fit-artifact.ts'
import { type ModelThreads, startModelThreads } from './model-threads.ts'
import { scoreRows } from './score-rows.ts'
import { pumps, syntheticRows } from './test-support.ts'

const neighbours: ModelSpec = {
  kind: 'knn_distance',
  modelId: 'knn_distance',
  features: 'all',
  windowMinutes: [60],
  contamination: 0.05,
  seed: 42,
  neighbourCount: 5,
  maxReferenceRows: 300,
}
const baseline = pumps.models[1]!
const specs = [pumps.models[0]!, { ...baseline, minDeviceDays: 2 }, neighbours] as ModelSpec[]
const training = syntheticRows(800, 8)
const fresh = syntheticRows(200, 8, 2)
// The third row has one sensor far off, in level and spread, and another missing.
fresh.matrix.values[2 * 9] = 400
fresh.matrix.values[2 * 9 + 1] = 50
fresh.matrix.values[2 * 9 + 5] = Number.NaN

let artifacts: readonly ModelArtifact[]
let threads: ModelThreads

beforeAll(() => {
  artifacts = specs.map((spec) => fitArtifact(training, spec, { fleet: pumps }).artifact)
  threads = startModelThreads(2)
})
afterAll(() => threads.close())

const reversed = (rows: FeatureRows): FeatureRows => {
  const count = rows.matrix.rowCount
  return selectFeatureRows(
    rows,
    Uint32Array.from({ length: count }, (_, row) => count - 1 - row),
  )
}

describe('scores of every family', () => {
  it('survive the bytes of an artifact, and the bytes are the same for the same fit (MOD-39)', async () => {
    for (const [index, spec] of specs.entries()) {
      const again = fitArtifact(training, spec, { fleet: pumps }).artifact
      const bytes = encodeArtifact(artifacts[index]!)
      expect(encodeArtifact(again)).toEqual(bytes)
      const restored = await scoreRows(decodeArtifact(bytes), fresh)
      expect(restored.scores).toEqual((await scoreRows(artifacts[index]!, fresh)).scores)
    }
  })

  it('depend on the row only: every subset of rows scores the same (MOD-9, SRV-7)', async () => {
    for (const artifact of artifacts) {
      const whole = await scoreRows(artifact, fresh)
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(fc.nat(199), { minLength: 1 }), async (picked) => {
          const rows = Uint32Array.from(picked).sort()
          const part = await scoreRows(artifact, selectFeatureRows(fresh, rows))
          expect([...part.scores]).toEqual([...rows].map((row) => whole.scores[row]))
        }),
        { numRuns: 20 },
      )
    }
  })

  it('do not depend on the order of rows', async () => {
    for (const artifact of artifacts) {
      const forward = await scoreRows(artifact, fresh)
      const backward = await scoreRows(artifact, reversed(fresh))
      expect([...backward.scores].reverse()).toEqual([...forward.scores])
    }
  })

  it('and their explanations are the same on two threads, bit for bit', async () => {
    for (const artifact of artifacts) {
      const plain = await scoreRows(artifact, fresh)
      const threaded = await scoreRows(artifact, fresh, threads)
      expect(threaded.rawScores).toEqual(plain.rawScores)
      const positions = Uint32Array.from({ length: 50 }, (_, at) => at * 3)
      expect(await explainRows(artifact, fresh, threaded, positions, threads)).toEqual(
        await explainRows(artifact, fresh, plain, positions),
      )
    }
  })

  it('flag the row with a sensor far off and name that sensor with its normal level (MOD-10)', async () => {
    for (const artifact of artifacts) {
      const scored = await scoreRows(artifact, fresh)
      expect(scored.scores[2]).toBeGreaterThan(0.6)
      const [explanation] = await explainRows(artifact, fresh, scored, Uint32Array.of(2))
      const top = explanation?.contributors.slice(0, 2) ?? []
      expect(top.map(({ feature }) => feature).sort()).toEqual(['pressure_mean', 'pressure_std'])
      const level = top.find(({ feature }) => feature === 'pressure_mean')
      expect(level).toMatchObject({ direction: 'high', value: 400, isImputed: false })
      expect(level?.referenceMedian).toBeCloseTo(0, 0)
      expect(explanation?.isDataQuality).toBe(false)
    }
  })

  it('use the device’s own statistics, else its cohort’s, else the fleet’s (MOD-15)', async () => {
    const artifact = artifacts[1]!
    const moved = {
      ...fresh,
      deviceIds: fresh.deviceIds.map((id, row) => (row < 50 ? id : `new-${row}`)),
    }
    const unknown = moved.cohortIds.map((id, row) => (row < 100 ? id : null))
    const { scopes } = await scoreRows(artifact, { ...moved, cohortIds: unknown })
    expect([scopes[0], scopes[60], scopes[150]]).toEqual([2, 1, 0])
  })
})

describe('explanations', () => {
  it('mark a row whose strongest contributor was imputed as a matter of data', async () => {
    const artifact = artifacts[1]!
    const rows = selectFeatureRows(fresh, Uint32Array.of(5))
    rows.matrix.values[0] = Number.NaN
    const carried = {
      rows: Uint32Array.of(0),
      columnNames: ['pressure_mean'],
      values: Float64Array.of(900),
    }
    const scored = await scoreRows(artifact, { ...rows, carried })
    const [explanation] = await explainRows(artifact, rows, scored, Uint32Array.of(0))
    expect(explanation?.contributors[0]).toMatchObject({
      feature: 'pressure_mean',
      isImputed: true,
    })
    expect(explanation?.isDataQuality).toBe(true)
  })

  it('mark a row whose strongest contributor counts readings as a matter of data (MOD-10)', async () => {
    const artifact = artifacts[2]!
    const rows = selectFeatureRows(fresh, Uint32Array.of(5))
    rows.matrix.values[rows.matrix.columnNames.indexOf('quality_flag_count')] = 900
    const scored = await scoreRows(artifact, rows)
    const [explanation] = await explainRows(artifact, rows, scored, Uint32Array.of(0))
    expect(explanation?.isDataQuality).toBe(true)
  })

  it('are refused for rows that lack a feature of the model (SRV-6)', async () => {
    const { matrix } = fresh
    const renamed = { ...matrix, columnNames: matrix.columnNames.map((name) => `x_${name}`) }
    await expect(scoreRows(artifacts[0]!, { ...fresh, matrix: renamed })).rejects.toThrow(
      /feature pressure_mean is required by the model/,
    )
  })
})

describe('calibration (MOD-7)', () => {
  it('flags the contamination share of the training rows, before cleaning', async () => {
    const forest = artifacts[0]!
    const { scores } = await scoreRows(forest, training)
    const flagged = scores.filter((score) => score > 0.6).length
    expect(flagged / scores.length).toBeCloseTo(0.05, 2)
  })
})
