import { binWord } from './column-binning.ts'
import { type GrowthMemory, taskAt, taskKinds } from './growth-memory.ts'
import { buildHistogram, subtractHistogram } from './histogram.ts'
import type { HistogramKernel } from './histogram-kernel.ts'
import { searchSplits } from './split-search.ts'

/**
 * Where threads claim words of columns: a few integers in shared memory. A claim raises the
 * ticket, which holds the number of the task and the next word, so no claim can fall into a later
 * task; what stands in `memory.task` was written before the ticket and stays until all is done.
 */
export type GrowthBoard = Int32Array

const places = { ticket: 0, wordsDone: 1, hasFailed: 2, isClosed: 3, sleeperCount: 4 } as const

/** Bits of the ticket that hold the next word. */
const WORD_BITS = 12

/** Words that a ticket can name. */
export const MAX_WORDS = 2 ** WORD_BITS - 1

/** Looks at the board before a thread goes to sleep: about 50 µs, more than most pauses last. */
const SPINS = 10_000

/** An empty board. */
export function createBoard(): GrowthBoard {
  const bytes = Int32Array.BYTES_PER_ELEMENT * Object.keys(places).length
  return new Int32Array(new SharedArrayBuffer(bytes))
}

/** Does the whole task in this thread. */
export function doTask(memory: GrowthMemory, kernel: HistogramKernel | undefined): void {
  for (let word = 0; word < memory.wordCount; word++) doWord(memory, kernel, word)
}

/**
 * Offers the task to all threads, takes part, and waits for the last word.
 * @returns false if another thread failed in a word it had claimed
 */
export function offerTask(
  memory: GrowthMemory,
  kernel: HistogramKernel | undefined,
  board: GrowthBoard,
): boolean {
  Atomics.store(board, places.wordsDone, 0)
  Atomics.store(board, places.ticket, nextTask(board) << WORD_BITS)
  if (Atomics.load(board, places.sleeperCount) > 0) Atomics.notify(board, places.ticket)
  claimWords(memory, kernel, board)
  let spins = 0
  for (;;) {
    const wordsDone = Atomics.load(board, places.wordsDone)
    if (wordsDone === memory.wordCount) return true
    if (Atomics.load(board, places.hasFailed) === 1) return false
    spins++
    if (spins > SPINS) Atomics.wait(board, places.wordsDone, wordsDone)
  }
}

/** What a helping thread does until the board is closed. */
export function joinTasks(
  memory: GrowthMemory,
  kernel: HistogramKernel | undefined,
  board: GrowthBoard,
): void {
  let spins = 0
  while (Atomics.load(board, places.isClosed) === 0) {
    const ticket = Atomics.load(board, places.ticket)
    if (claimWords(memory, kernel, board)) spins = 0
    spins++
    if (spins <= SPINS) continue
    Atomics.add(board, places.sleeperCount, 1)
    if (Atomics.load(board, places.isClosed) === 0) Atomics.wait(board, places.ticket, ticket)
    Atomics.sub(board, places.sleeperCount, 1)
    spins = 0
  }
}

/** Notes that this thread cannot finish a word it claimed. */
export function failTask(board: GrowthBoard): void {
  Atomics.store(board, places.hasFailed, 1)
  Atomics.add(board, places.wordsDone, 1)
  Atomics.notify(board, places.wordsDone)
}

/** Sends the helping threads home. */
export function closeBoard(board: GrowthBoard): void {
  Atomics.store(board, places.isClosed, 1)
  // The ticket changes, so that a thread about to sleep on it does not; no task has this word.
  Atomics.store(board, places.ticket, (nextTask(board) << WORD_BITS) | MAX_WORDS)
  Atomics.notify(board, places.ticket)
}

/** Number of the task after the present one; 0 is the board before the first. */
function nextTask(board: GrowthBoard): number {
  const next = (Atomics.load(board, places.ticket) >>> WORD_BITS) + 1
  return next === 2 ** (32 - WORD_BITS) ? 1 : next
}

/** Claims and does words until none is left; true if there was one. */
function claimWords(
  memory: GrowthMemory,
  kernel: HistogramKernel | undefined,
  board: GrowthBoard,
): boolean {
  let hasWorked = false
  for (;;) {
    const ticket = Atomics.load(board, places.ticket)
    const word = ticket & MAX_WORDS
    if (ticket >>> WORD_BITS === 0 || word >= memory.wordCount) return hasWorked
    if (Atomics.compareExchange(board, places.ticket, ticket, ticket + 1) !== ticket) continue
    doWord(memory, kernel, word)
    hasWorked = true
    if (Atomics.add(board, places.wordsDone, 1) + 1 === memory.wordCount) {
      Atomics.notify(board, places.wordsDone)
    }
  }
}

function doWord(memory: GrowthMemory, kernel: HistogramKernel | undefined, word: number): void {
  const { task } = memory
  const rowCount = task[taskAt.rowCount]!
  const builtSlot = task[taskAt.builtSlot]!
  switch (task[taskAt.kind]) {
    case taskKinds.bin:
      binWord(memory, word)
      break
    case taskKinds.searchRoot:
      buildHistogram(memory, kernel, word, builtSlot, rowCount)
      searchSplits(memory, word, 0, builtSlot)
      break
    case taskKinds.searchChildren: {
      const parentSlot = task[taskAt.parentSlot]!
      buildHistogram(memory, kernel, word, builtSlot, rowCount)
      subtractHistogram(memory, kernel, word, parentSlot, builtSlot)
      searchSplits(memory, word, 0, builtSlot)
      searchSplits(memory, word, 1, parentSlot)
      break
    }
  }
}
