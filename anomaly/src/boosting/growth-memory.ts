import { MAX_PAGES, PAGE_BYTES, type WasmMemory, wasmHost } from '../kernel/web-assembly.ts'
import { MAX_BINS } from './column-edges.ts'

/** Columns whose codes share one 32-bit word. */
export const COLUMNS_PER_WORD = 4

/** Places for edges per column: `MAX_BINS` − 1 edges, padded with +∞. */
export const EDGE_STRIDE = MAX_BINS + 1

/** Numbers that one histogram bin takes: gradient sum and packed hessian sum. */
export const BIN_NUMBERS = 2

/** Sizes that fix the memory of a fit. */
export type GrowthShape = {
  readonly rowCount: number
  readonly columnCount: number
  /** Histograms that live at the same time: one per leaf. */
  readonly slotCount: number
  readonly maxBins: number
}

/**
 * The arrays that growing reads and writes, in shared memory where threads help. Work is dealt in
 * words of four columns; nothing a word writes depends on another, so any thread may take any word.
 */
export type GrowthMemory = GrowthShape & {
  readonly wordCount: number
  /** Holds codes, rows, pairs and histograms, if the runtime has WebAssembly and they fit. */
  readonly wasmMemory: WasmMemory | undefined
  /** The matrix, column-major. */
  readonly values: Float64Array
  /** wordCount × rowCount: bin codes of four columns, the first in the lowest byte. */
  readonly codes: Uint32Array
  /** columnCount × EDGE_STRIDE rising bin edges. */
  readonly edges: Float64Array
  /** Per column, padded to whole words: bins that hold values; missing cells have the next code. */
  readonly valueBinCounts: Uint32Array
  /** Per padded column: 1 if a training row misses it. */
  readonly hasMissing: Uint8Array
  /** Per padded column: first bin of the column in a histogram, after binning. */
  readonly histogramStarts: Uint32Array
  /** Rows that edges are chosen from, then: rows of the node whose histogram is built. */
  readonly rows: Uint32Array
  /** Gradient and packed hessian of the same rows, in their order. */
  readonly pairs: Float64Array
  /** slotCount × bins of all columns × BIN_NUMBERS. */
  readonly histograms: Float64Array
  /** Per padded column: 1 if the tree may split it. */
  readonly isOffered: Uint8Array
  /** Per column: −1, 0 or 1. */
  readonly monotone: Int32Array
  /** Best split of each column in the searched nodes: first or second node × padded columns. */
  readonly found: FoundSplits
  /** What the current task is about, see `GrowthTask`. */
  readonly task: Float64Array
}

/** Best split per searched node and column. */
export type FoundSplits = {
  /** Gain, or −∞ if the column cannot be split. */
  readonly gains: Float64Array
  /** Rows go left if their code is at most this. */
  readonly bins: Uint32Array
  /** One of `missingSides`. */
  readonly missingSides: Uint8Array
  readonly leftGradients: Float64Array
  readonly leftPacked: Float64Array
}

/** Allocates the memory of a fit. Pages of histograms that are never used are never touched. */
export function growthMemory(shape: GrowthShape, isShared: boolean): GrowthMemory {
  const { rowCount, columnCount } = shape
  const wordCount = Math.ceil(columnCount / COLUMNS_PER_WORD)
  const padded = wordCount * COLUMNS_PER_WORD
  const buffer = (bytes: number) =>
    isShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)
  const floats = (length: number) => new Float64Array(buffer(8 * length))
  const integers = (length: number) => new Uint32Array(buffer(4 * length))
  const flags = (length: number) => new Uint8Array(buffer(length))
  return {
    ...shape,
    wordCount,
    ...hotMemory(shape, wordCount, isShared),
    values: floats(rowCount * columnCount),
    edges: floats(columnCount * EDGE_STRIDE),
    valueBinCounts: integers(padded),
    hasMissing: flags(padded),
    histogramStarts: integers(padded),
    isOffered: flags(padded),
    monotone: new Int32Array(buffer(4 * columnCount)),
    found: {
      gains: floats(2 * padded),
      bins: integers(2 * padded),
      missingSides: flags(2 * padded),
      leftGradients: floats(2 * padded),
      leftPacked: floats(2 * padded),
    },
    task: floats(TASK_NUMBERS),
  }
}

type HotMemory = Pick<GrowthMemory, 'wasmMemory' | 'histograms' | 'pairs' | 'codes' | 'rows'>

/** The arrays of the inner loops, one after the other in one block. */
function hotMemory(
  { rowCount, columnCount, slotCount, maxBins }: GrowthShape,
  wordCount: number,
  isShared: boolean,
): HotMemory {
  const histogramNumbers = slotCount * histogramLength(columnCount, maxBins)
  const pairsAt = 8 * histogramNumbers
  const codesAt = pairsAt + 16 * rowCount
  const rowsAt = codesAt + 4 * wordCount * rowCount
  const pages = Math.ceil((rowsAt + 4 * rowCount) / PAGE_BYTES)
  const wasmMemory =
    wasmHost !== undefined && pages <= MAX_PAGES
      ? new wasmHost.Memory({ initial: pages, maximum: pages, shared: isShared })
      : undefined
  const block =
    wasmMemory?.buffer ??
    (isShared ? new SharedArrayBuffer(pages * PAGE_BYTES) : new ArrayBuffer(pages * PAGE_BYTES))
  return {
    wasmMemory,
    histograms: new Float64Array(block, 0, histogramNumbers),
    pairs: new Float64Array(block, pairsAt, 2 * rowCount),
    codes: new Uint32Array(block, codesAt, wordCount * rowCount),
    rows: new Uint32Array(block, rowsAt, rowCount),
  }
}

/** Most numbers one histogram slot can need: value bins and a missing bin of every padded column. */
export function histogramLength(columnCount: number, maxBins: number): number {
  const padded = Math.ceil(columnCount / COLUMNS_PER_WORD) * COLUMNS_PER_WORD
  return padded * (maxBins + 1) * BIN_NUMBERS
}

/** Places in `GrowthMemory.task`. */
export const taskAt = {
  kind: 0,
  /** Rows [0, rowCount) of `rows` are the task's. */
  rowCount: 1,
  /** Slot whose histogram is built from the rows. */
  builtSlot: 2,
  /** Slot of the parent, which becomes the other child's; −1 for a root. */
  parentSlot: 3,
  countUnit: 4,
  l2: 5,
  minLeafRows: 6,
  minChildWeight: 7,
  /** Numbers of the first searched node, then of the second. */
  firstNode: 8,
} as const

/** Places inside a searched node's numbers. */
export const nodeAt = { gradient: 0, packed: 1, lowerBound: 2, upperBound: 3, isOpen: 4 } as const

/** Numbers per searched node. */
export const NODE_NUMBERS = 5

const TASK_NUMBERS = taskAt.firstNode + 2 * NODE_NUMBERS

/** What a task does with each word of columns. */
export const taskKinds = { bin: 1, searchRoot: 2, searchChildren: 3 } as const

/** Where a split sends rows that miss its column; `unseen` if no row of the node misses it. */
export const missingSides = { right: 0, left: 1, unseen: 2 } as const
