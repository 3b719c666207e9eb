import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom, nextNormal } from '../statistics/random.ts'
import { createMatrixKernel, type MatrixKernel } from './matrix-kernel.ts'

/** Both kernels, filled with the same normal numbers of mixed size. */
function twins(floatCount: number, seed: number): readonly [MatrixKernel, MatrixKernel] {
  const simd = createMatrixKernel(floatCount, 'simd')
  const plain = createMatrixKernel(floatCount, 'plain')
  const random = createRandom(seed)
  for (let i = 0; i < floatCount; i++) {
    const value = nextNormal(random) * 10 ** (2 * nextNormal(random))
    simd.floats[i] = value
    plain.floats[i] = value
  }
  return [simd, plain]
}

/** Runs the call on both and compares every bit of their memory. */
function expectSame(
  kernels: readonly [MatrixKernel, MatrixKernel],
  run: (kernel: MatrixKernel) => unknown,
): void {
  const [simd, plain] = kernels
  expect(run(simd)).toEqual(run(plain))
  expect(
    Buffer.from(simd.floats.slice().buffer).equals(Buffer.from(plain.floats.slice().buffer)),
  ).toBe(true)
}

const anySeed = fc.integer({ min: 0, max: 2 ** 31 })
const fours = (max: number) => fc.integer({ min: 1, max }).map((count) => 4 * count)
const anySize = fc.integer({ min: 0, max: 13 })

describe('the matrix kernel and its plain twin agree to the bit in', () => {
  test('products of any size, plain and transposed, from zero, from a bias and added on', () => {
    fc.assert(
      fc.property(anySeed, anySize, anySize, fours(5), (seed, rows, inner, columns) => {
        const kernels = twins(2000, seed)
        const [b, bias, c] = [300, 900, 1000]
        expectSame(kernels, (kernel) => {
          const { multiply } = kernel
          multiply(0, inner, 1, b, columns, bias, 0, c, columns, rows, inner, columns)
          multiply(0, 1, rows, b, columns, c, columns, c, columns, rows, inner, columns)
          multiply(0, 1, rows, b, columns, c, columns, c + 300, columns, rows, inner, columns)
        })
      }),
    )
  })

  test('transposing, sums of rows and scaling', () => {
    fc.assert(
      fc.property(anySeed, anySize, fours(4), (seed, rows, columns) => {
        const kernels = twins(1500, seed)
        expectSame(kernels, (kernel) => {
          kernel.transpose(0, columns, rows, columns - 1, 400, 16)
          kernel.addRows(0, columns, rows, columns, 800)
          kernel.scaleInto(900, 0, 0.1, rows * columns)
          kernel.multiplyInto(1200, 0, columns)
        })
      }),
    )
  })

  test('gathering rows, some cells missing', () => {
    const anyItems = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 })
    fc.assert(
      fc.property(anySeed, anyItems, fours(3), (seed, items, columns) => {
        const kernels = twins(1000, seed)
        for (const { floats, integers } of kernels) {
          floats[5] = Number.NaN
          integers.set(items, 200)
        }
        expectSame(kernels, (kernel) =>
          kernel.gatherRows(0, columns + 4, 200, items.length, columns, 300, 600),
        )
      }),
    )
  })

  test('activations and their gradients', () => {
    fc.assert(
      fc.property(anySeed, (seed) => {
        const kernels = twins(1600, seed)
        for (const { floats } of kernels) floats.set([0, -0, 100, -100, 1e-30, -1e-30, 9, -44])
        expectSame(kernels, (kernel) => {
          kernel.relu(400, 400)
          kernel.reluBackward(800, 400, 400)
          kernel.tanh(0, 400)
          kernel.tanhBackward(1200, 0, 400)
        })
      }),
    )
  })

  test('errors against targets, some of them missing', () => {
    fc.assert(
      fc.property(anySeed, fours(20), (seed, count) => {
        const kernels = twins(400, seed)
        for (const { floats } of kernels) floats[83] = Number.NaN
        expectSame(kernels, (kernel) => kernel.residual(0, 80, 160, 0.3, count))
        expect(kernels[0].floats[163]).toBe(count > 3 ? 0 : kernels[1].floats[163])
      }),
    )
  })

  test('steps of Adam', () => {
    fc.assert(
      fc.property(anySeed, fc.integer({ min: 1, max: 50 }), (seed, step) => {
        const kernels = twins(400, seed)
        for (const { floats } of kernels) {
          for (let i = 300; i < 400; i++) floats[i] = Math.abs(floats[i]!)
        }
        const size = 1e-3 / (1 - 0.9 ** step)
        const correction = 1 / Math.sqrt(1 - 0.999 ** step)
        expectSame(kernels, (kernel) =>
          kernel.adamStep(0, 100, 200, 300, 100, size, correction, 0.9, 0.1, 0.999, 0.001, 1e-8),
        )
      }),
    )
  })

  test('LSTM cells forwards and backwards', () => {
    fc.assert(
      fc.property(anySeed, anySize, fours(3), (seed, rows, units) => {
        const kernels = twins(2000, seed)
        const [before, c, tanhC, h, dh, dc] = [700, 900, 1100, 1300, 1500, 1700]
        expectSame(kernels, (kernel) => {
          kernel.lstmCell(0, before, c, tanhC, h, rows, units)
          kernel.lstmCellBackward(0, before, tanhC, dh, dc, rows, units)
        })
      }),
    )
  })
})

describe('the matrix kernel', () => {
  test('multiplies as a naive product in double precision, to the rounding of 32 bits', () => {
    const [kernel] = twins(1000, 7)
    const { floats } = kernel
    for (let i = 0; i < 1000; i++) floats[i] = Math.sin(i)
    const before = floats.slice()
    kernel.multiply(0, 9, 1, 100, 8, 300, 0, 400, 8, 7, 9, 8)
    for (let row = 0; row < 7; row++) {
      for (let column = 0; column < 8; column++) {
        let sum = before[300 + column]!
        for (let k = 0; k < 9; k++) sum += before[row * 9 + k]! * before[100 + k * 8 + column]!
        expect(floats[400 + row * 8 + column]).toBeCloseTo(sum, 5)
      }
    }
  })

  test('has tanh and the gates right to a few units in the last place', () => {
    const { floats, tanh, lstmCell } = createMatrixKernel(4096)
    for (let i = 0; i < 2048; i++) floats[i] = (i - 1024) ** 3 / 1e8
    const inputs = floats.slice(0, 2048)
    tanh(0, 2048)
    for (const [i, x] of inputs.entries()) {
      expect(Math.abs(floats[i]! - Math.tanh(x))).toBeLessThanOrEqual(3e-7 * Math.abs(x))
      expect(Math.abs(floats[i]!)).toBeLessThanOrEqual(1)
    }
    for (const x of [-200, -20, -1, 0, 0.001, 3, 90]) {
      floats.set([x, 0, 0, 0], 0)
      floats.fill(0, 4, 100)
      lstmCell(0, 20, 24, 28, 32, 1, 4)
      const expected = 1 / (1 + Math.exp(-x))
      expect(Math.abs(floats[0]! - expected)).toBeLessThan(2e-7 * expected + 1e-36)
    }
  })

  test('refuses sizes it cannot hold', () => {
    expect(() => createMatrixKernel(0)).toThrow('floatCount')
    expect(() => createMatrixKernel(2 ** 31)).toThrow('floatCount')
  })
})
