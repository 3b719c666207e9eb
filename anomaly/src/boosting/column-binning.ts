import { sortValues } from '../sketches/value-sort.ts'
import { writeColumnEdges } from './column-edges.ts'
import { COLUMNS_PER_WORD, EDGE_STRIDE, type GrowthMemory, taskAt } from './growth-memory.ts'

/**
 * Chooses the edges of a word's four columns from the sampled rows and codes all rows.
 * Cost: a sort of the sample and eight comparisons per cell.
 */
export function binWord(memory: GrowthMemory, word: number): void {
  const { values, codes, edges, rows, rowCount, columnCount } = memory
  const wordCodes = codes.subarray(word * rowCount, (word + 1) * rowCount)
  const sampledRows = rows.subarray(0, memory.task[taskAt.rowCount]!)
  const sample = new Float64Array(sampledRows.length)
  wordCodes.fill(0)
  for (let lane = 0; lane < COLUMNS_PER_WORD; lane++) {
    const column = word * COLUMNS_PER_WORD + lane
    memory.valueBinCounts[column] = 1
    if (column >= columnCount) continue
    const columnValues = values.subarray(column * rowCount, (column + 1) * rowCount)
    let found = 0
    for (let i = 0; i < sampledRows.length; i++) {
      const value = columnValues[sampledRows[i]!]!
      sample[found] = value
      found += Number(!Number.isNaN(value))
    }
    const columnEdges = edges.subarray(column * EDGE_STRIDE, (column + 1) * EDGE_STRIDE)
    const sorted = sortValues(sample.subarray(0, found))
    const edgeCount = writeColumnEdges(sorted, memory.maxBins, columnEdges)
    // The search below needs no count: a finite value never reaches an infinite edge.
    columnEdges.fill(Number.POSITIVE_INFINITY, edgeCount)
    memory.valueBinCounts[column] = edgeCount + 1
    codeColumn(memory, column, columnEdges, wordCodes, 8 * lane)
  }
}

function codeColumn(
  memory: GrowthMemory,
  column: number,
  columnEdges: Float64Array,
  wordCodes: Uint32Array,
  shift: number,
): void {
  const { values, rowCount } = memory
  const first = column * rowCount
  const missingCode = memory.valueBinCounts[column]!
  let missingCount = 0
  for (let row = 0; row < rowCount; row++) {
    const value = values[first + row]!
    let code = 0
    if (Number.isNaN(value)) {
      code = missingCode
      missingCount++
    } else {
      for (let step = 128; step > 0; step >>= 1) {
        code += step * Number(value >= columnEdges[code + step - 1]!)
      }
    }
    wordCodes[row] = wordCodes[row]! | (code << shift)
  }
  memory.hasMissing[column] = missingCount > 0 ? 1 : 0
}
