import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalMatrix } from '../../testing/generated-tables.ts'
import { featureMatrix } from '../feature-matrix.ts'
import { requireNoRepeatedRow, requireNoTellingColumn } from './column-leak.ts'
import { groupFolds, stratifiedFolds, stratifiedGroupFolds } from './fold-splits.ts'
import { outOfFold } from './out-of-fold.ts'
import { type RowSplit, requireNoLeak } from './row-split.ts'
import { stickyRole } from './sticky-roles.ts'
import { forwardSplits, purgedFolds } from './time-splits.ts'

const leak = expect.objectContaining({ code: 'LEAKAGE' })
const tests = (splits: readonly RowSplit[]) =>
  splits.flatMap(({ testRows }) => Array.from(testRows))
const all = (count: number) => Array.from({ length: count }, (_, row) => row)

describe('folds', () => {
  test('test every row once and never train on it', () => {
    const labels = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 8, maxLength: 80 })
    fc.assert(
      fc.property(labels, fc.integer({ min: 2, max: 8 }), (values, foldCount) => {
        const splits = stratifiedFolds(values, { foldCount })
        expect(tests(splits).sort((a, b) => a - b)).toEqual(all(values.length))
        for (const split of splits) {
          requireNoLeak(split, values.length)
          expect(split.trainRows.length + split.testRows.length).toBe(values.length)
          for (const label of new Set(values)) {
            const share = values.filter((value) => value === label).length / foldCount
            const found = split.testRows.reduce((n, row) => n + Number(values[row] === label), 0)
            expect(Math.abs(found - share)).toBeLessThan(1)
          }
        }
      }),
    )
  })

  test('of groups keep every group on one side', () => {
    const rows = fc.array(
      fc.record({ group: fc.integer({ min: 0, max: 11 }), label: fc.integer({ min: 0, max: 1 }) }),
      { minLength: 20, maxLength: 120 },
    )
    fc.assert(
      fc.property(rows, (list) => {
        const groups = list.map(({ group }) => group)
        const labels = list.map(({ label }) => label)
        fc.pre(new Set(groups).size >= 3)
        for (const splits of [
          groupFolds(groups, { foldCount: 3 }),
          stratifiedGroupFolds(labels, groups, { foldCount: 3 }),
        ]) {
          expect(tests(splits).sort((a, b) => a - b)).toEqual(all(list.length))
          for (const split of splits) requireNoLeak(split, list.length, { groupOfRow: groups })
        }
      }),
    )
  })

  test('of groups have equal sizes where groups allow it', () => {
    const groups = all(120).map((row) => (row < 60 ? row % 3 : 3 + (row % 12)))
    const sizes = groupFolds(groups, { foldCount: 3 }).map(({ testRows }) => testRows.length)
    expect(sizes).toEqual([40, 40, 40])
  })

  test('of groups spread rare failures over the folds', () => {
    // Forty devices of ten rows; every fifth device fails in three rows.
    const groups = all(400).map((row) => Math.floor(row / 10))
    const labels = all(400).map((row) => (groups[row]! % 5 === 0 && row % 10 < 3 ? 1 : 0))
    const splits = stratifiedGroupFolds(labels, groups, { foldCount: 4 })
    for (const { testRows } of splits) {
      expect(testRows.reduce((n, row) => n + labels[row]!, 0)).toBe(6)
      expect(testRows.length).toBe(100)
    }
  })

  test('depend on the seed only', () => {
    const labels = all(60).map((row) => row % 4)
    expect(stratifiedFolds(labels, { seed: 1 })).toEqual(stratifiedFolds(labels, { seed: 1 }))
    expect(stratifiedFolds(labels, { seed: 1 })).not.toEqual(stratifiedFolds(labels, { seed: 2 }))
  })

  test('more folds than rows or groups, and odd labels are refused', () => {
    expect(() => stratifiedFolds([0, 1], { foldCount: 3 })).toThrow('foldCount')
    expect(() => groupFolds([0, 0, 1, 1], { foldCount: 3 })).toThrow('number of groups')
    expect(() => stratifiedFolds([0, 1, -1], { foldCount: 2 })).toThrow('labels[2]')
    expect(() => stratifiedGroupFolds([0], [0, 1])).toThrow('labels.length')
  })
})

describe('splits in time', () => {
  // Ten times occur twice; blocks are long enough for every gap.
  const times = fc
    .uniqueArray(fc.integer({ min: 0, max: 400 }), { minLength: 60, maxLength: 150 })
    .map((list) => [...list, ...list.slice(0, 10)])
  const gaps = fc.integer({ min: 0, max: 12 })

  test('forward: training ends before testing by the gap, and every later row is tested once', () => {
    fc.assert(
      fc.property(times, gaps, (list, gap) => {
        const splits = forwardSplits(list, { foldCount: 3, gap })
        for (const split of splits) requireNoLeak(split, list.length, { timeOfRow: list, gap })
        const tested = tests(splits)
        expect(new Set(tested).size).toBe(tested.length)
        const first = Math.min(...tested.map((row) => list[row]!))
        expect(tested).toHaveLength(list.filter((time) => time >= first).length)
      }),
    )
  })

  test('forward with durations: 90 days as 62 + 7 + 21', () => {
    const days = all(90)
    const [split, ...rest] = forwardSplits(days, {
      ...{ foldCount: 2, gap: 7, testDuration: 21, trainDuration: 41 },
    }).reverse()
    expect(rest).toHaveLength(1)
    expect(split!.testRows).toEqual(Uint32Array.from(all(21), (day) => day + 69))
    expect(split!.trainRows).toEqual(Uint32Array.from(all(41), (day) => day + 22))
  })

  test('purged: no label of a training row reaches the test, nor the other way', () => {
    fc.assert(
      fc.property(times, gaps, gaps, (list, labelHorizon, embargo) => {
        const splits = purgedFolds(list, { foldCount: 3, labelHorizon, embargo })
        expect(tests(splits).sort((a, b) => a - b)).toEqual(all(list.length))
        for (const { trainRows, testRows } of splits) {
          const tested = Array.from(testRows, (row) => list[row]!)
          const start = Math.min(...tested)
          const end = Math.max(...tested)
          const kept = list.filter(
            (time) => time + labelHorizon < start || time > end + labelHorizon + embargo,
          )
          expect(Array.from(trainRows, (row) => list[row]!).sort()).toEqual(kept.sort())
        }
      }),
    )
  })

  test('too few times, no past and bad durations are refused', () => {
    expect(() => forwardSplits([1, 1, 1, 2], { foldCount: 3 })).toThrow('distinct times')
    expect(() => forwardSplits(all(20), { gap: 30 })).toThrow('training of split 0')
    expect(() => forwardSplits(all(20), { gap: -1 })).toThrow('gap')
    expect(() => forwardSplits([1, Number.NaN])).toThrow('timeOfRow[1]')
    expect(() => purgedFolds(all(10), { embargo: Number.NaN })).toThrow('embargo')
    expect(() => purgedFolds([4])).toThrow('at least 2')
  })
})

describe('leaks are errors', () => {
  const split = { trainRows: Uint32Array.of(0, 1, 2), testRows: Uint32Array.of(3, 4) }

  test('a row, a device or a time on both sides', () => {
    requireNoLeak(split, 5, { groupOfRow: [1, 1, 2, 3, 3], timeOfRow: [1, 2, 3, 5, 6], gap: 2 })
    const both = { ...split, testRows: Uint32Array.of(2, 3) }
    expect(() => requireNoLeak(both, 5)).toThrow(leak)
    expect(() => requireNoLeak(split, 5, { groupOfRow: [1, 1, 2, 2, 3] })).toThrow('group 2')
    expect(() => requireNoLeak(split, 5, { timeOfRow: [1, 2, 5, 5, 6] })).toThrow(leak)
    expect(() => requireNoLeak(split, 5, { timeOfRow: [1, 2, 4, 5, 6], gap: 2 })).toThrow(
      'gap must be 2',
    )
    const outside = { ...split, testRows: Uint32Array.of(9) }
    expect(() => requireNoLeak(outside, 5)).toThrow('testRows[0]')
    const falling = { ...split, trainRows: Uint32Array.of(1, 0) }
    expect(() => requireNoLeak(falling, 5)).toThrow('trainRows[1]')
  })

  test('a column that tells the label, by its value or by being missing', () => {
    const { values, columnNames } = normalMatrix(60, 3, 1)
    const labels = all(60).map((row) => Number(row % 6 === 0))
    requireNoTellingColumn(featureMatrix(values, columnNames), labels)
    const telling = values.map((v, i) => (i % 3 === 1 ? v - 20 * labels[Math.floor(i / 3)]! : v))
    expect(() => requireNoTellingColumn(featureMatrix(telling, columnNames), labels)).toThrow(
      'column c1 alone',
    )
    const missing = values.map((v, i) =>
      i % 3 === 2 && labels[Math.floor(i / 3)] === 0 ? Number.NaN : v,
    )
    expect(() => requireNoTellingColumn(featureMatrix(missing, columnNames), labels)).toThrow(
      'that column c2 is missing',
    )
  })

  test('a test row that repeats a training row', () => {
    const { values, columnNames } = normalMatrix(5, 3, 1)
    requireNoRepeatedRow(featureMatrix(values, columnNames), split)
    const repeated = values.slice()
    repeated.copyWithin(12, 3, 6)
    expect(() => requireNoRepeatedRow(featureMatrix(repeated, columnNames), split)).toThrow(
      'test row 4 repeats training row 1',
    )
  })
})

describe('roles of devices', () => {
  const ids = all(4000).map((i) => `cabinet-${i}`)

  test('are dealt by the shares, and stay when others come and go', () => {
    const roles = ids.map((id) => stickyRole(id))
    for (const role of ['validation', 'test'] as const) {
      const count = roles.filter((found) => found === role).length
      // Three standard deviations of a binomial count.
      expect(Math.abs(count - 400)).toBeLessThan(57)
    }
    expect(stickyRole('cabinet-17')).toBe(roles[17])
    expect(ids.map((id) => stickyRole(id, { seed: 1 }))).not.toEqual(roles)
    expect(stickyRole('x', { validation: 0, test: 0 })).toBe('train')
    expect(() => stickyRole('x', { validation: 0.5, test: 0.5 })).toThrow('shares')
  })
})

test('out-of-fold predictions stand at their rows, NaN where nothing was tested', () => {
  const splits = forwardSplits(all(12), { foldCount: 2 })
  const found = outOfFold(splits, 12, ({ testRows }) =>
    Float64Array.from(testRows, (row) => row * 10),
  )
  expect(Array.from(found)).toEqual(all(12).map((row) => (row < 4 ? Number.NaN : row * 10)))
  expect(() => outOfFold(splits, 12, () => new Float64Array(1))).toThrow('predictions of split 0')
})
