import { calibrate } from '@isotherm/anomaly'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineFleet, type ModelSpec } from '../contracts/index.ts'
import { decodeArtifact, encodeArtifact } from './artifact.ts'
import { explainRows } from './explain-rows.ts'
import { type FeatureRows, rowsWhere, selectFeatureRows } from './feature-rows.ts'
import { fitArtifact } from './fit-artifact.ts'
import { scoreRows } from './score-rows.ts'
import { pumps, syntheticRows } from './test-support.ts'

const fleet = defineFleet({
  ...pumps,
  operatingModes: [{ name: 'defrost', feature: 'pressure_mean', atLeast: 100 }],
})
const plain = pumps.models[1] as Extract<ModelSpec, { kind: 'robust_baseline' }>
const shared: ModelSpec = { ...plain, minDeviceDays: 1, minDeviceRows: 20 }
const apart: ModelSpec = { ...shared, ownNormalModes: ['defrost'] }

/** Rows of which every fourth is a defrost: the pressure is higher by 200. */
function withDefrosts(rowCount: number, deviceCount: number, seed: number): FeatureRows {
  const rows = syntheticRows(rowCount, deviceCount, seed)
  const width = rows.matrix.columnNames.length
  const modes = Array.from({ length: rowCount }, (_, row) => (row % 4 === 0 ? 'defrost' : 'normal'))
  for (const [row, mode] of modes.entries()) {
    if (mode === 'defrost') rows.matrix.values[row * width]! += 200
  }
  return { ...rows, operatingModes: modes }
}

function ofMode(rows: FeatureRows, mode: string): FeatureRows {
  const isWanted = (row: number) => rows.operatingModes[row] === mode
  return selectFeatureRows(rows, rowsWhere(rows.matrix.rowCount, isWanted))
}

const training = withDefrosts(4000, 8, 1)
const artifact = fitArtifact(training, apart, { fleet }).artifact

describe('a baseline with modes apart', () => {
  it('judges every row as a baseline does that knows no other mode', async () => {
    for (const mode of ['defrost', 'normal']) {
      const twin = fitArtifact(ofMode(training, mode), shared, { fleet }).artifact
      await fc.assert(
        fc.asyncProperty(fc.nat(99), async (seed) => {
          const rows = ofMode(withDefrosts(200, 8, 2 + seed), mode)
          const scored = await scoreRows(artifact, rows)
          const alone = await scoreRows(twin, rows)
          expect(scored.scopes).toEqual(alone.scopes)
          expect(scored.rawScores).toEqual(alone.rawScores)
          expect(scored.scores).toEqual(alone.scores)
        }),
        { numRuns: 10 },
      )
    }
  })

  it('flags a row that looks like another mode, and not the mode itself', async () => {
    const rows = withDefrosts(400, 8, 3)
    const pretending: FeatureRows = { ...rows, operatingModes: rows.operatingModes.map(() => null) }
    const usual = await scoreRows(artifact, rows)
    const odd = await scoreRows(artifact, pretending)
    for (let row = 0; row < 400; row += 4) {
      expect(usual.rawScores[row]).toBeLessThan(6)
      expect(odd.rawScores[row]).toBeGreaterThan(30)
      expect(odd.scores[row]).toBe(1)
    }
  })

  it('explains a row against the normal of its mode', async () => {
    const rows = withDefrosts(400, 8, 3)
    const width = rows.matrix.columnNames.length
    for (const row of [0, 1]) rows.matrix.values[row * width]! += 60
    const scored = await scoreRows(artifact, rows)
    const [defrost, other] = await explainRows(artifact, rows, scored, Uint32Array.of(0, 1))
    const medianOf = (explained: typeof defrost) =>
      explained?.contributors.find(({ feature }) => feature === 'pressure_mean')?.referenceMedian
    expect(medianOf(defrost)).toBeCloseTo(200, -1)
    expect(medianOf(other)).toBeCloseTo(0, -1)
  })

  it('leaves a mode that too few devices show to the fleet as a whole', async () => {
    const rare = { ...training, operatingModes: training.operatingModes.map(() => 'normal') }
    const few = {
      ...rare,
      operatingModes: rare.operatingModes.map((mode, row) => (row < 9 ? 'defrost' : mode)),
    }
    const { artifact: fitted } = fitArtifact(few, apart, { fleet })
    const probe = ofMode(withDefrosts(40, 8, 5), 'defrost')
    const { scopes, rawScores, scores } = await scoreRows(fitted, probe)
    expect(new Set(scopes)).toEqual(new Set([0]))
    expect(fitted.modeCalibrations).toEqual([{}])
    const { anchors } = fitted.calibrations.fleet
    expect([...scores]).toEqual(
      [...rawScores].map((raw) => Math.round(calibrate(raw, anchors) * 1e6) / 1e6),
    )
  })

  it('survives the bytes of its artifact', async () => {
    const restored = decodeArtifact(encodeArtifact(artifact))
    expect(restored).toEqual(artifact)
    expect(restored.normalModes).toEqual(['defrost'])
  })
})

describe('modes with a normal of their own', () => {
  it('are operating modes of the fleet, or the fleet is refused', () => {
    expect(() => defineFleet({ ...fleet, models: [apart] })).not.toThrow()
    expect(() =>
      defineFleet({ ...fleet, models: [{ ...apart, ownNormalModes: ['thaw'] } as ModelSpec] }),
    ).toThrow(/thaw is no operating mode/)
  })
})
