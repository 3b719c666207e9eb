/** A list of callbacks; `add` returns the way to leave it. */
export type Listeners<T> = {
  readonly add: (listener: (value: T) => void) => () => void
  readonly tell: (value: T) => void
}

/** An empty list of callbacks. */
export function createListeners<T>(): Listeners<T> {
  const listeners = new Set<(value: T) => void>()
  return {
    add: (listener) => {
      // A wrapper, so that the same function added twice is told twice and leaves once.
      const entry = (value: T) => listener(value)
      listeners.add(entry)
      return () => listeners.delete(entry)
    },
    tell: (value) => {
      for (const listener of listeners) listener(value)
    },
  }
}
