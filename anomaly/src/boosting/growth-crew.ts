import { Worker } from 'node:worker_threads'
import { AnomalyError } from '../errors.ts'
import { siblingModule } from '../threads/module-location.ts'
import { closeBoard, createBoard, doTask, offerTask } from './growth-board.ts'
import { type GrowthMemory, type GrowthShape, growthMemory } from './growth-memory.ts'
import { kernelOf } from './histogram-kernel.ts'

/** What does the column work of a fit: this thread, and others beside it. */
export type GrowthCrew = {
  readonly memory: GrowthMemory
  /**
   * Does the task that stands in `memory.task`; returns when every word of columns is done.
   * @throws WORKER_FAILED
   */
  run(): void
  /** Ends the other threads. */
  end(): void
}

/**
 * Allocates a fit's memory and starts `threadCount − 1` threads on it. They claim words of columns
 * one by one, so that a thread that starts late or not at all delays nothing, and since no word
 * depends on another the result has the same bytes for any number of threads.
 */
export function startGrowthCrew(shape: GrowthShape, threadCount: number): GrowthCrew {
  const isShared = threadCount > 1
  const memory = growthMemory(shape, isShared)
  const kernel = kernelOf(memory)
  if (!isShared) return { memory, run: () => doTask(memory, kernel), end: () => undefined }
  const board = createBoard()
  for (let thread = 1; thread < threadCount; thread++) {
    const worker = new Worker(siblingModule('growth-worker', import.meta.url), {
      workerData: { memory, board },
    })
    worker.unref()
    // A thread that cannot start claims nothing, and one that fails in a word says so on the
    // board: the event carries nothing more, but without a listener it would end the process.
    worker.on('error', () => undefined)
  }
  return {
    memory,
    run: () => {
      if (!offerTask(memory, kernel, board)) {
        throw new AnomalyError('WORKER_FAILED', 'a thread that grows trees failed; fit again')
      }
    },
    end: () => closeBoard(board),
  }
}
