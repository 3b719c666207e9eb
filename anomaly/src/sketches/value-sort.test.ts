import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { featureMatrixOfRows } from '../feature-matrix.ts'
import { createRandom, nextNormal } from '../statistics/random.ts'
import { mapColumns } from './matrix-columns.ts'
import { sortValues } from './value-sort.ts'

const shapes: Readonly<Record<string, (draw: () => number) => number>> = {
  normal: (draw) => draw(),
  'log-normal with a long tail': (draw) => Math.exp(6 * draw()),
  'few distinct values': (draw) => Math.round(2 * draw()),
  'a far offset': (draw) => 1e12 + draw(),
  'nearly constant': (draw) => (Math.abs(draw()) > 3 ? draw() : 7),
  subnormal: (draw) => draw() * 5e-324,
  'with infinities': (draw) => 1 / Math.trunc(draw()),
}

describe('sorting values', () => {
  for (const [name, shape] of Object.entries(shapes)) {
    test(`equals the engine's sort: ${name}`, () => {
      for (const count of [0, 1, 2047, 2048, 30_000]) {
        const random = createRandom(count)
        const values = Float64Array.from(
          { length: count },
          () => shape(() => nextNormal(random)) + 0,
        )
        expect(sortValues(values)).toEqual(values.slice().sort())
      }
    })
  }

  test('the order of the input leaves no trace, not even the sign of zero', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true })), (values) => {
        const forward = sortValues(Float64Array.from(values))
        const backward = sortValues(Float64Array.from(values.toReversed()))
        expect(backward).toEqual(forward)
      }),
    )
    expect(Object.is(sortValues(Float64Array.of(1, -0))[0], 0)).toBe(true)
  })
})

describe('columns of a matrix', () => {
  test('come in row order without NaN', () => {
    const rows = Array.from({ length: 150 }, (_, i) => [i, i % 3 === 0 ? Number.NaN : -i])
    const matrix = featureMatrixOfRows(rows, ['a', 'b'])
    const [first, second] = mapColumns(matrix, (values) => values.slice())
    expect(Array.from(first ?? [])).toEqual(rows.map(([a]) => a))
    expect(Array.from(second ?? [])).toEqual(
      rows.map(([, b]) => b).filter((value) => !Number.isNaN(value)),
    )
  })
})
