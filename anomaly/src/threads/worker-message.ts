import type { RangeFunctionName } from './range-functions.ts'

/** What a pool sends to its threads. Arrays are in shared memory. */
export type WorkerRequest =
  | { readonly kind: 'keep'; readonly keptId: number; readonly value: unknown }
  | { readonly kind: 'forget'; readonly keptId: number }
  | RangeRequest

/** A job, sent alike to every thread: each takes chunks of its items until none is left. */
export type RangeRequest = {
  readonly kind: 'run'
  readonly jobId: number
  readonly name: RangeFunctionName
  readonly keptId: number
  readonly input: unknown
  readonly itemCount: number
  /** Items a thread takes at a time. */
  readonly chunkSize: number
  /** Shared, one cell: the first item that no thread has taken. */
  readonly nextItem: Int32Array
}

/** What a thread answers to a job. */
export type WorkerReply =
  | { readonly kind: 'done'; readonly jobId: number }
  | { readonly kind: 'failed'; readonly jobId: number; readonly reason: string }
