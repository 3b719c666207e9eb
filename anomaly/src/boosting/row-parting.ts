import { COLUMNS_PER_WORD, type GrowthMemory, missingSides } from './growth-memory.ts'
import type { Leaf, TreeRows } from './node-task.ts'

/**
 * Moves the rows that the leaf's split sends left to the front of [start, end), keeping their order.
 * @returns end of the left rows
 */
export function partRows(
  memory: GrowthMemory,
  { rows, scratch }: TreeRows,
  leaf: Leaf,
  start: number,
  end: number,
): number {
  const word = Math.floor(leaf.column / COLUMNS_PER_WORD)
  const codes = memory.codes.subarray(word * memory.rowCount, (word + 1) * memory.rowCount)
  const shift = 8 * (leaf.column % COLUMNS_PER_WORD)
  const { bin } = leaf
  // A code that no row has where missing cells go right, as their code is above every bin's.
  const missingGoesLeft = leaf.missingSide === missingSides.left
  const missingCode = missingGoesLeft ? memory.valueBinCounts[leaf.column]! : -1
  let leftEnd = start
  let rightCount = 0
  for (let i = start; i < end; i++) {
    const row = rows[i]!
    const code = (codes[row]! >>> shift) & 255
    const isLeft = Number(code <= bin) | Number(code === missingCode)
    rows[leftEnd] = row
    scratch[rightCount] = row
    leftEnd += isLeft
    rightCount += 1 - isLeft
  }
  rows.set(scratch.subarray(0, rightCount), leftEnd)
  return leftEnd
}
