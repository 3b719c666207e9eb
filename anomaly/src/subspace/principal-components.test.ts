import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { healthyRows, labelledTables, normalMatrix } from '../../testing/generated-tables.ts'
import { rowsOf } from '../../testing/naive-twins.ts'
import { featureMatrix, featureMatrixOfRows, selectRows } from '../feature-matrix.ts'
import { auroc } from '../metrics/ranking-metrics.ts'
import { normalQuantile } from '../statistics/normal-quantile.ts'
import { chiSquareQuantile } from './control-limits.ts'
import { fitPrincipalComponents } from './principal-components.ts'
import {
  explainPrincipalComponents,
  principalStatistics,
  projectPrincipalComponents,
  scorePrincipalComponents,
} from './principal-components-score.ts'

/** Columns that follow two hidden causes, with a little noise. */
function correlated(rowCount: number, seed: number) {
  const causes = rowsOf(normalMatrix(rowCount, 2, seed))
  const noise = rowsOf(normalMatrix(rowCount, 5, seed + 1))
  const rows = causes.map(([a = 0, b = 0], row) =>
    [a, a + b, b, a - b, 2 * b].map((value, column) => value + 0.05 * noise[row]![column]!),
  )
  return featureMatrixOfRows(rows, ['p', 'q', 'r', 's', 't'])
}

describe('normal and chi-square quantiles', () => {
  test('equal scipy 1.17.1', () => {
    // norm.ppf; chi2.ppf within the percent of Wilson and Hilferty.
    expect(normalQuantile(0.99)).toBeCloseTo(2.3263478740408408, 14)
    expect(normalQuantile(0.6)).toBeCloseTo(0.2533471031357997, 14)
    expect(normalQuantile(1e-15)).toBeCloseTo(-7.941345326170997, 12)
    expect(normalQuantile(0.5)).toBe(0)
    const quantiles = [
      [1, 0.99, 6.6348966010212145],
      [3.5, 0.95, 8.665121760590482],
      [20, 0.99, 37.56623478662507],
    ] as const
    for (const [degrees, probability, expected] of quantiles) {
      expect(Math.abs(chiSquareQuantile(degrees, probability) / expected - 1)).toBeLessThan(0.012)
    }
  })
})

describe('principal components', () => {
  test('equal scikit-learn 1.9.1 on generated tables', () => {
    // PCA(4, svd_solver='full') of the ordinary rows: first and fourth variance, an entry of the
    // first and fourth component, then T² and Q of all rows, sum and row 7.
    const sklearn = [
      [
        87.05619172898955, 1.0559232718288192, 0.3594449944778479, -0.0431753581772627,
        5997.218528963537, 85.3477649362883, 6861.3728230184815, 96.40522535740911,
      ],
      [
        3.271680862362238, 2.873982276758298, 0.054832093902419055, 0.3577806808929817,
        6018.6015856359845, 1.4034868043143938, 2305.9474173982953, 21.060396085970762,
      ],
      [
        41.971155977490504, 11.793950563147858, 0.003768985163712168, -0.03307538685457068,
        7773.537793079018, 0.12874468301951605, 267691.350420841, 117.20570292996705,
      ],
    ]
    // Components for explained shares of 0.9 and 0.5: PCA(0.9).fit(…).n_components_.
    const counts = [
      [1, 1],
      [4, 3],
      [17, 6],
    ]
    for (const [index, table] of labelledTables().entries()) {
      const reference = healthyRows(table)
      const width = reference.columnNames.length
      const model = fitPrincipalComponents(reference, { componentCount: 4, scaling: 'none' })
      const { t2, q } = principalStatistics(model, table.matrix)
      const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0)
      const found = [
        model.variances[0]!,
        model.variances[3]!,
        model.components[0]!,
        model.components[3 * width + 2]!,
        sum(t2),
        t2[7]!,
        sum(q),
        q[7]!,
      ]
      for (const [i, value] of found.entries()) {
        expect(Math.abs(value / sklearn[index]![i]! - 1)).toBeLessThan(1e-9)
      }
      const countFor = (explainedShare: number) =>
        fitPrincipalComponents(reference, { explainedShare, scaling: 'none' }).componentCount
      expect([countFor(0.9), countFor(0.5)]).toEqual(counts[index])
    }
  })

  test('parts sum to T², Q and the combined statistic', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 40 }),
        fc.integer({ min: 1, max: 6 }),
        fc.nat(1000),
        (rowCount, columnCount, seed) => {
          const model = fitPrincipalComponents(normalMatrix(rowCount, columnCount, seed), {
            explainedShare: 0.7,
          })
          const probe = normalMatrix(1, columnCount, seed + 7)
          const { t2, q } = principalStatistics(model, probe)
          const partsOf = (statistic: 't2' | 'q' | 'combined') =>
            explainPrincipalComponents(model, probe, [0], statistic).reduce((a, b) => a + b, 0)
          expect(partsOf('t2') / (1 + t2[0]!)).toBeCloseTo(t2[0]! / (1 + t2[0]!), 9)
          expect(partsOf('q') / (1 + q[0]!)).toBeCloseTo(q[0]! / (1 + q[0]!), 9)
          const score = scorePrincipalComponents(model, probe)[0]!
          expect(score).toBeCloseTo(t2[0]! / model.t2Limit + q[0]! / model.qLimit, 9)
          expect(partsOf('combined') / (1 + score)).toBeCloseTo(score / (1 + score), 9)
        },
      ),
    )
  })

  test('Q notices a broken relation, T² a row far along the ordinary ones', () => {
    const model = fitPrincipalComponents(correlated(500, 1), { componentCount: 2 })
    const probe = featureMatrixOfRows(
      [
        [1, 2, 1, 0, 2],
        [1, 2, 1, 0, -2],
        [9, 18, 9, 0, 18],
      ],
      model.columnNames,
    )
    const { t2, q } = principalStatistics(model, probe)
    expect(q[0]).toBeLessThan(model.qLimit)
    expect(t2[0]).toBeLessThan(model.t2Limit)
    expect(q[1]).toBeGreaterThan(100 * model.qLimit)
    expect(t2[2]).toBeGreaterThan(3 * model.t2Limit)
    const parts = explainPrincipalComponents(model, probe, [1], 'q')
    expect(parts.indexOf(Math.max(...parts))).toBe(4)
  })

  test('about one row in a hundred of normal data exceeds each limit', () => {
    const model = fitPrincipalComponents(correlated(4000, 3), { componentCount: 2 })
    const { t2, q } = principalStatistics(model, correlated(4000, 5))
    for (const [values, limit] of [[t2, model.t2Limit] as const, [q, model.qLimit] as const]) {
      const share = values.filter((value) => value > limit).length / 4000
      expect(share).toBeGreaterThan(0.005)
      expect(share).toBeLessThan(0.016)
    }
  })

  test('coordinates have the learned variances and are uncorrelated', () => {
    const matrix = correlated(300, 6)
    const model = fitPrincipalComponents(matrix, { componentCount: 2 })
    const coordinates = projectPrincipalComponents(model, matrix)
    let [first, second, both] = [0, 0, 0]
    for (let row = 0; row < 300; row++) {
      const [a, b] = [coordinates[2 * row]!, coordinates[2 * row + 1]!]
      first += (a * a) / 299
      second += (b * b) / 299
      both += (a * b) / 299
    }
    expect(first).toBeCloseTo(model.variances[0]!, 10)
    expect(second).toBeCloseTo(model.variances[1]!, 10)
    expect(both).toBeCloseTo(0, 10)
  })

  test('finds rows that break relations better than chance could', () => {
    const table = labelledTables()[1]!
    const model = fitPrincipalComponents(healthyRows(table))
    expect(auroc(table.labels, scorePrincipalComponents(model, table.matrix))).toBeGreaterThan(0.99)
  })

  test('an exact relation once broken is far beyond its limit', () => {
    const rows = rowsOf(normalMatrix(50, 1, 8)).map(([a = 0]) => [a, 2 * a])
    const matrix = featureMatrixOfRows(rows, ['a', 'b'])
    const model = fitPrincipalComponents(matrix, { componentCount: 2 })
    expect(model.componentCount).toBe(1)
    expect(Math.max(...principalStatistics(model, matrix).q)).toBeLessThan(model.qLimit * 1e-6)
    const broken = featureMatrixOfRows([[1, -2]], ['a', 'b'])
    expect(principalStatistics(model, broken).q[0]).toBeGreaterThan(1000 * model.qLimit)
  })

  test('constant columns have no component, and any move off them is Q', () => {
    const matrix = featureMatrix(new Float64Array(20).fill(4), ['a', 'b'])
    const model = fitPrincipalComponents(matrix)
    expect(model.componentCount).toBe(0)
    expect([...scorePrincipalComponents(model, matrix)]).toEqual(new Array(10).fill(0))
    const moved = featureMatrixOfRows([[4, 7]], ['a', 'b'])
    expect(scorePrincipalComponents(model, moved)[0]).toBe(9)
  })

  test('unusual options are refused', () => {
    const matrix = normalMatrix(20, 2, 9)
    const fit = (options: object) => () => fitPrincipalComponents(matrix, options)
    expect(fit({ componentCount: 0 })).toThrow('componentCount')
    expect(fit({ explainedShare: 0 })).toThrow('explainedShare')
    expect(fit({ limitProbability: 1 })).toThrow('limitProbability')
    expect(fit({ statistic: 'r' })).toThrow('statistic')
    expect(() => fitPrincipalComponents(selectRows(matrix, [3]))).toThrow('at least 2 row')
  })
})
