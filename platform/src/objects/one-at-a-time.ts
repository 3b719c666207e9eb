/**
 * Runs tasks strictly one after another, so that what a task reads from memory is what the task
 * before it left there. A failed task does not stop the next.
 */
export function oneAtATime(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (task) => {
    const result = last.then(task, task)
    last = result
    return result
  }
}
