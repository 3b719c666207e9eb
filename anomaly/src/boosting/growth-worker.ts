import { workerData } from 'node:worker_threads'
import { failTask, type GrowthBoard, joinTasks } from './growth-board.ts'
import type { GrowthMemory } from './growth-memory.ts'
import { kernelOf } from './histogram-kernel.ts'

/** Entry of a thread that helps to grow trees, until the fit closes the board. */
const { memory, board }: { memory: GrowthMemory; board: GrowthBoard } = workerData

try {
  joinTasks(memory, kernelOf(memory), board)
} catch (error) {
  failTask(board)
  throw error
}
