import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { healthyRows, labelledTables, normalMatrix } from '../../testing/generated-tables.ts'
import { rowsOf } from '../../testing/naive-twins.ts'
import { featureMatrix, featureMatrixOfRows } from '../feature-matrix.ts'
import { fitLocalOutlierFactor } from './local-outlier-factor.ts'
import {
  explainLocalOutlierFactor,
  scoreLocalOutlierFactor,
  scoreReferenceFactors,
} from './local-outlier-factor-score.ts'

type Neighbour = { readonly index: number; readonly distance: number }

/** The definition of Breunig et al. by full sorts; equal distances by index. */
function naiveFactors(reference: number[][], rows: number[][], count: number) {
  const nearest = (row: number[], excluded: number): Neighbour[] =>
    reference
      .map((other, index) => ({
        index,
        distance: Math.sqrt(other.reduce((sum, value, d) => sum + (value - row[d]!) ** 2, 0)),
      }))
      .filter(({ index }) => index !== excluded)
      .sort((a, b) => a.distance - b.distance || a.index - b.index)
      .slice(0, count)
  const neighbours = reference.map((row, index) => nearest(row, index))
  const reach = neighbours.map((list) => list.at(-1)?.distance ?? 0)
  const density = (list: readonly Neighbour[]) => {
    const sum = list.reduce((total, n) => total + Math.max(n.distance, reach[n.index]!), 0)
    return 1 / (sum / list.length + 1e-10)
  }
  const densities = neighbours.map(density)
  const factor = (list: readonly Neighbour[]) =>
    list.reduce((total, n) => total + densities[n.index]!, 0) / list.length / density(list)
  return {
    ofRows: rows.map((row) => factor(nearest(row, -1))),
    ofReference: neighbours.map(factor),
  }
}

describe('local outlier factor', () => {
  test('equals the definition, ties and duplicates included', () => {
    const shape = {
      rowCount: fc.integer({ min: 2, max: 120 }),
      columnCount: fc.integer({ min: 1, max: 10 }),
      neighbourCount: fc.integer({ min: 1, max: 12 }),
      seed: fc.nat(1000),
      isCoarse: fc.boolean(),
    }
    fc.assert(
      fc.property(fc.record(shape), ({ rowCount, columnCount, neighbourCount, seed, isCoarse }) => {
        const draw = (count: number, at: number) => {
          const { values, columnNames } = normalMatrix(count, columnCount, at)
          // Halves are exact, so that equal distances are equal in both computations.
          return featureMatrix(
            isCoarse ? values.map((v) => Math.round(v) / 2) : values,
            columnNames,
          )
        }
        const reference = draw(rowCount, seed)
        const probe = draw(10, seed + 5000)
        const model = fitLocalOutlierFactor(reference, { neighbourCount, scaling: 'none' })
        const count = Math.min(neighbourCount, rowCount - 1)
        const expected = naiveFactors(rowsOf(reference), rowsOf(probe), count)
        const close = (found: Float64Array, wanted: number[]) => {
          for (const [i, value] of wanted.entries()) {
            expect(Math.abs(found[i]! / value - 1)).toBeLessThan(1e-9)
          }
        }
        close(scoreLocalOutlierFactor(model, probe), expected.ofRows)
        close(scoreReferenceFactors(model), expected.ofReference)
      }),
      { numRuns: 100 },
    )
  })

  test('equals scikit-learn 1.9.1 on generated tables', () => {
    // LocalOutlierFactor(n_neighbors=20, novelty=True, algorithm='kd_tree') fitted on the ordinary
    // rows: sum and rows 7 and 100 of −score_samples of all rows; sum and row 3 of
    // −negative_outlier_factor_. These tables have no ties.
    const sklearn = [
      [
        1199.7810335778709, 4.54632667371181, 1.0285521220925, 1024.2699129512246,
        1.057626323517224,
      ],
      [
        1664.4374857866849, 2.62479049962149, 1.0863411596764483, 1508.5007191975567,
        1.0838586893959523,
      ],
      [
        2578.0580671103453, 1.381194638285096, 1.0890229376474694, 2470.024550537726,
        1.2653007662785691,
      ],
    ]
    const sum = (scores: Float64Array) => scores.reduce((total, score) => total + score, 0)
    for (const [index, table] of labelledTables().entries()) {
      const model = fitLocalOutlierFactor(healthyRows(table), { scaling: 'none' })
      const scores = scoreLocalOutlierFactor(model, table.matrix)
      const own = scoreReferenceFactors(model)
      const found = [sum(scores), scores[7]!, scores[100]!, sum(own), own[3]!]
      for (const [i, value] of found.entries()) {
        expect(Math.abs(value / (sklearn[index]?.[i] ?? 0) - 1)).toBeLessThan(1e-9)
      }
    }
  })

  test('a row between a dense and a thin cluster is judged by its own surroundings', () => {
    const dense = rowsOf(normalMatrix(200, 2, 1)).map((row) => row.map((value) => value * 0.1))
    const thin = rowsOf(normalMatrix(200, 2, 2)).map((row) => row.map((value) => 20 + value * 4))
    const names = ['x', 'y']
    const model = fitLocalOutlierFactor(featureMatrixOfRows([...dense, ...thin], names), {
      scaling: 'none',
    })
    // The same distance of 1 from the middle: far out of the dense cluster, inside the thin one.
    const probe = featureMatrixOfRows(
      [
        [1, 0],
        [21, 20],
      ],
      names,
    )
    const [near, inside] = scoreLocalOutlierFactor(model, probe)
    expect(near).toBeGreaterThan(3)
    expect(inside).toBeLessThan(1.3)
  })

  test('equal rows have factor 1, and a row beside them a huge one', () => {
    const model = fitLocalOutlierFactor(featureMatrix(new Float64Array(60).fill(3), ['a', 'b']))
    const probe = featureMatrixOfRows(
      [
        [3, 3],
        [3, 4],
      ],
      ['a', 'b'],
    )
    const [same, beside] = scoreLocalOutlierFactor(model, probe)
    expect(same).toBeCloseTo(1, 12)
    expect(beside).toBeGreaterThan(1e6)
    expect([...explainLocalOutlierFactor(model, probe, [0])]).toEqual([0, 0])
  })

  test('contributions are the squared distance shares and sum to the score', () => {
    const matrix = normalMatrix(300, 9, 3)
    const model = fitLocalOutlierFactor(matrix)
    const probe = featureMatrixOfRows(
      [Array.from({ length: 9 }, (_, column) => (column === 4 ? 7 : 0.1))],
      matrix.columnNames,
    )
    const parts = explainLocalOutlierFactor(model, probe, [0])
    const score = scoreLocalOutlierFactor(model, probe)[0]!
    expect(parts.reduce((total, part) => total + part, 0)).toBeCloseTo(score, 10)
    expect(parts[4]!).toBeGreaterThan(0.8 * score)
  })

  test('the reference is bounded, and unusual options are refused', () => {
    const matrix = normalMatrix(500, 3, 4)
    const model = fitLocalOutlierFactor(matrix, { maxReferenceRows: 50, neighbourCount: 80 })
    expect(model.referenceRows).toHaveLength(50)
    expect(model.neighbourCount).toBe(49)
    expect(model.trainingRowCount).toBe(500)
    expect(() => fitLocalOutlierFactor(matrix, { neighbourCount: 0 })).toThrow('neighbourCount')
    expect(() => fitLocalOutlierFactor(matrix, { maxReferenceRows: 1 })).toThrow('maxReferenceRows')
  })
})
