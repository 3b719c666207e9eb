import { MAX_PAGES, wasmHost } from '../kernel/web-assembly.ts'
import type { GrowthMemory } from './growth-memory.ts'

/** The two inner loops of a fit on addresses in one WebAssembly memory; `histogram.ts` has twins. */
export type HistogramKernel = {
  /**
   * Adds the pair of each row to one bin of each of four columns.
   * @param codes address of the word's codes: one u32 per row of the matrix
   * @param rows address of the rows to add, u32 each
   * @param pairs address of their pairs, two f64 each
   * @param rowsEnd address after the last row; not equal to `rows`
   */
  readonly addPairs: (
    codes: number,
    rows: number,
    pairs: number,
    rowsEnd: number,
    bins0: number,
    bins1: number,
    bins2: number,
    bins3: number,
  ) => void
  /** Subtracts pairs from pairs, until `end` of those subtracted from; at least one. */
  readonly subtractPairs: (from: number, end: number, subtracted: number) => void
}

/**
 * The kernel on a memory; undefined where the runtime has no WebAssembly with SIMD. A pair of sums
 * fills one SIMD register, which makes it 2.5 times as fast as the twin; sums are exact, so both
 * give the same bytes.
 */
export function kernelOf({ wasmMemory }: GrowthMemory): HistogramKernel | undefined {
  if (wasmHost === undefined || wasmMemory === undefined) return undefined
  const isShared = wasmMemory.buffer instanceof SharedArrayBuffer
  const bytes = kernelModule(isShared)
  if (!wasmHost.validate(bytes)) return undefined
  const module = new wasmHost.Module(bytes)
  const { exports } = new wasmHost.Instance(module, { host: { memory: wasmMemory } })
  const { addPairs, subtractPairs } = exports
  // The module below exports exactly these two with these signatures.
  return { addPairs, subtractPairs } as HistogramKernel
}

// Opcodes by their names in the WebAssembly core specification 2.0, section 5.4.
const end = 0x0b
const loop = [0x03, 0x40]
const branchIfNot0 = [0x0d, 0]
const i32Add = 0x6a
const i32And = 0x71
const i32Shl = 0x74
const i32ShrU = 0x76
const i32Ne = 0x47
const i32Load = [0x28, 2, 0]
const v128Load = [0xfd, 0x00, 3, 0]
const v128Store = [0xfd, 0x0b, 3, 0]
const f64x2Add = [0xfd, 0xf0, 0x01]
const f64x2Sub = [0xfd, 0xf1, 0x01]
const typeI32 = 0x7f
const typeV128 = 0x7b

const get = (local: number) => [0x20, local]
const set = (local: number) => [0x21, local]
const tee = (local: number) => [0x22, local]
const constant = (value: number) => [0x41, ...signed(value)]
/** Moves the address in a local. */
const advance = (local: number, bytes: number) => [...get(local), ...constant(bytes), i32Add]

/** Module of the two functions, on a memory imported as `host.memory`. */
function kernelModule(isShared: boolean): Uint8Array {
  const eightAddresses = new Array<number>(8).fill(typeI32)
  const types = [
    [0x60, ...sized(eightAddresses), 0],
    [0x60, ...sized(eightAddresses.slice(0, 3)), 0],
  ]
  const limits = [isShared ? 3 : 1, ...unsigned(0), ...unsigned(MAX_PAGES)]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(2, [[...text('host'), ...text('memory'), 2, ...limits]]),
    ...section(3, [[0], [1]]),
    ...section(7, [
      [...text('addPairs'), 0, 0],
      [...text('subtractPairs'), 0, 1],
    ]),
    ...section(10, [sized(addPairsBody()), sized(subtractPairsBody())]),
  ])
}

function addPairsBody(): number[] {
  const [codes, rows, pairs, rowsEnd, bins0, code, bin, pair] = [0, 1, 2, 3, 4, 8, 9, 10]
  // Byte `lane` of the code times the 16 bytes of a bin, added to the column's first bin.
  const addToBin = (lane: number) => [
    ...get(code),
    ...(lane === 0 ? [...constant(4), i32Shl] : [...constant(8 * lane - 4), i32ShrU]),
    ...[...constant(255 * 16), i32And],
    ...[...get(bins0 + lane), i32Add, ...tee(bin)],
    ...[...get(bin), ...v128Load, ...get(pair), ...f64x2Add, ...v128Store],
  ]
  const locals = [2, 2, typeI32, 1, typeV128]
  return [
    ...locals,
    ...loop,
    ...[...get(rows), ...i32Load, ...constant(2), i32Shl, ...get(codes), i32Add, ...i32Load],
    ...set(code),
    ...[...get(pairs), ...v128Load, ...set(pair)],
    ...[...addToBin(0), ...addToBin(1), ...addToBin(2), ...addToBin(3)],
    ...[...advance(pairs, 16), ...set(pairs)],
    ...[...advance(rows, 4), ...tee(rows), ...get(rowsEnd), i32Ne, ...branchIfNot0],
    ...[end, end],
  ]
}

function subtractPairsBody(): number[] {
  const [from, fromEnd, subtracted] = [0, 1, 2]
  return [
    0,
    ...loop,
    ...[...get(from), ...get(from), ...v128Load, ...get(subtracted), ...v128Load],
    ...[...f64x2Sub, ...v128Store],
    ...[...advance(subtracted, 16), ...set(subtracted)],
    ...[...advance(from, 16), ...tee(from), ...get(fromEnd), i32Ne, ...branchIfNot0],
    ...[end, end],
  ]
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  return [id, ...sized([...unsigned(items.length), ...items.flat()])]
}

function sized(bytes: readonly number[]): number[] {
  return [...unsigned(bytes.length), ...bytes]
}

function text(name: string): number[] {
  return sized(Array.from(name, (letter) => letter.charCodeAt(0)))
}

/** LEB128 of a number ≥ 0. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]
}

/** Signed LEB128. */
function signed(value: number): number[] {
  return value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)]
}
