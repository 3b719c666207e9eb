import { invalidOption } from '../errors.ts'
import { MATRIX_KERNEL_WASM } from './matrix-kernel-wasm.ts'
import { plainKernel } from './plain-kernel.ts'
import { PAGE_BYTES, wasmHost } from './web-assembly.ts'

/**
 * Arithmetic on matrices of 32-bit floats that lie in one array, `floats`, and are named by the
 * index of their first cell. Matrices are row-major; strides, and counts of columns or cells, are
 * multiples of 4 (rows are padded with zeros), numbers of rows and inner sizes are free. Nothing
 * is bounds-checked: a wrong index corrupts the array, or fails.
 *
 * Every sum has one order and every operation is rounded to 32 bits, so that both kinds of kernel
 * give the same bits on any machine.
 */
export type MatrixKernel = {
  /** WebAssembly with SIMD, or plain TypeScript: about 40 and 1 thousand million operations/s. */
  readonly kind: 'simd' | 'plain'
  readonly floats: Float32Array
  /** The same memory as 32-bit integers, for lists of row numbers. */
  readonly integers: Uint32Array
  /**
   * C = S + A·B with A rows × inner and B inner × columns. Element (i, k) of A stands at
   * a + i·aRowStep + k·aInnerStep: (stride, 1) reads A, (1, stride) its transpose. S is where the
   * sums start: a row of zeros or a bias with startStride 0, or C itself.
   */
  readonly multiply: (
    a: number,
    aRowStep: number,
    aInnerStep: number,
    b: number,
    bStride: number,
    start: number,
    startStride: number,
    c: number,
    cStride: number,
    rows: number,
    inner: number,
    columns: number,
  ) => void
  /** out[j][i] = a[i][j]; neither count need be a multiple of 4. */
  readonly transpose: (
    a: number,
    aStride: number,
    rows: number,
    columns: number,
    out: number,
    outStride: number,
  ) => void
  /** out[j] += Σ over rows of x[i][j]. */
  readonly addRows: (x: number, stride: number, rows: number, columns: number, out: number) => void
  /** out = factor·x. */
  readonly scaleInto: (out: number, x: number, factor: number, count: number) => void
  /** x = x·factors, cell by cell. */
  readonly multiplyInto: (x: number, factors: number, count: number) => void
  /**
   * Copies the rows of `from` that the integers at `items` name, one after another, to `target`,
   * and with 0 for NaN to `input`; both have `columns` columns.
   */
  readonly gatherRows: (
    from: number,
    fromStride: number,
    items: number,
    count: number,
    columns: number,
    target: number,
    input: number,
  ) => void
  /** x = max(x, 0). */
  readonly relu: (x: number, count: number) => void
  /** d = d where the output y > 0, else 0. */
  readonly reluBackward: (d: number, y: number, count: number) => void
  /** x = tanh(x), within 3e-7 of the true value relative to it. */
  readonly tanh: (x: number, count: number) => void
  /** d = d·(1 − y²) for the output y. */
  readonly tanhBackward: (d: number, y: number, count: number) => void
  /**
   * d = (y − target)·factor, 0 where the target is NaN.
   * @returns Σ (y − target)² over targets that are not NaN, in double precision
   */
  readonly residual: (y: number, target: number, d: number, factor: number, count: number) => number
  /**
   * One step of Adam on `count` parameters with their gradients and moments m, v; stepSize is
   * α / (1 − β1^t), rootCorrection 1 / √(1 − β2^t). Source: Kingma & Ba 2015, algorithm 1.
   */
  readonly adamStep: (
    parameters: number,
    gradients: number,
    m: number,
    v: number,
    count: number,
    stepSize: number,
    rootCorrection: number,
    beta1: number,
    oneMinusBeta1: number,
    beta2: number,
    oneMinusBeta2: number,
    epsilon: number,
  ) => void
  /**
   * One step of an LSTM. A row of `gates` holds the weighted sums of input, forget, candidate and
   * output gate, each `units` wide, and then their values; c = f·cBefore + i·g, h = o·tanh(c).
   */
  readonly lstmCell: (
    gates: number,
    cBefore: number,
    c: number,
    tanhC: number,
    h: number,
    rows: number,
    units: number,
  ) => void
  /**
   * Gradient of `lstmCell`: gate values become gradients of their weighted sums; `dc`, the
   * gradient of c from the step after, becomes that of cBefore.
   */
  readonly lstmCellBackward: (
    gates: number,
    cBefore: number,
    tanhC: number,
    dh: number,
    dc: number,
    rows: number,
    units: number,
  ) => void
}

/** The functions of a kernel, bound to their memory. */
export type KernelFunctions = Omit<MatrixKernel, 'kind' | 'floats' | 'integers'>

/** Bytes before the first float: constants of the WebAssembly functions (`arena.as`). */
const ARENA_START = 256

/** 4 GiB of WebAssembly memory, less the constants. */
const MAX_FLOATS = 2 ** 30 - ARENA_START / 4

/** The compiled module of this thread; undefined until the first kernel, null without SIMD. */
let compiled: object | null | undefined

/**
 * A kernel with memory for `floatCount` numbers, all zero: WebAssembly where the machine has SIMD,
 * else plain TypeScript. Both give the same bits.
 * @param kind asks for one kind; default the faster one that works
 * @throws INVALID_OPTION for a size outside [1, 2³⁰ − 64], or if SIMD is asked for and missing
 * Cost: the memory, and about a millisecond for the first of a thread.
 */
export function createMatrixKernel(floatCount: number, kind?: 'simd' | 'plain'): MatrixKernel {
  if (!(Number.isInteger(floatCount) && floatCount >= 1 && floatCount <= MAX_FLOATS)) {
    throw invalidOption('floatCount', `an integer in [1, ${MAX_FLOATS}]`, floatCount)
  }
  if (kind === 'plain') return plainKernel(floatCount)
  compiled ??= compile()
  if (compiled !== null) return simdKernel(compiled, floatCount)
  if (kind === 'simd') throw invalidOption('kind', 'plain: this machine has no SIMD', kind)
  return plainKernel(floatCount)
}

function simdKernel(module: object, floatCount: number): MatrixKernel {
  const { Memory, Instance } = wasmHost ?? unreachableRuntime()
  const memory = new Memory({ initial: Math.ceil((ARENA_START + floatCount * 4) / PAGE_BYTES) })
  const { exports } = new Instance(module, { env: { memory } })
  // What the AssemblyScript source exports; a test rebuilds and compares it.
  const functions = exports as KernelFunctions
  return {
    ...functions,
    kind: 'simd',
    floats: new Float32Array(memory.buffer, ARENA_START, floatCount),
    integers: new Uint32Array(memory.buffer, ARENA_START, floatCount),
  }
}

function compile(): object | null {
  const bytes = Uint8Array.from(atob(MATRIX_KERNEL_WASM), (char) => char.charCodeAt(0))
  return wasmHost?.validate(bytes) === true ? new wasmHost.Module(bytes) : null
}

function unreachableRuntime(): never {
  throw invalidOption('kind', 'plain: this machine has no WebAssembly', 'simd')
}
