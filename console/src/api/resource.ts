import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { getJson } from './request.ts'

/** A resource of the API on its way to a page. */
export type Resource<T> =
  | { readonly kind: 'loading' }
  /** `fault` is set when a later read failed: what is shown is older than it should be. */
  | { readonly kind: 'ready'; readonly value: T; readonly fault?: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly status: number }

/**
 * Reads a path and reads it again when `revision` changes; the last answer stays on the page
 * until the next one is there. An empty path reads nothing.
 */
export function useResource<T>(
  path: string,
  revision: number | string = 0,
): readonly [Resource<T>, reload: () => void] {
  const [held, setHeld] = useState<{ path: string; resource: Resource<T> }>({
    path,
    resource: { kind: 'loading' },
  })
  const [manual, setManual] = useState(0)
  const latest = useRef(held)
  latest.current = held
  // One text for both reasons to read again, so that the effect has one dependency for them.
  const trigger = `${revision}:${manual}`
  useEffect(() => {
    if (path === '' || trigger === '') return
    const abort = new AbortController()
    getJson<T>(path, abort.signal).then((answer) => {
      if (abort.signal.aborted) return
      const before = latest.current.path === path ? latest.current.resource : undefined
      if (answer.kind === 'ready') {
        setHeld({ path, resource: { kind: 'ready', value: answer.value } })
      } else if (before?.kind === 'ready') {
        setHeld({ path, resource: { ...before, fault: answer.reason } })
      } else {
        setHeld({
          path,
          resource: { kind: 'failed', reason: answer.reason, status: answer.status },
        })
      }
    })
    return () => abort.abort()
  }, [path, trigger])
  const reload = useCallback(() => setManual((count) => count + 1), [])
  return [held.path === path ? held.resource : { kind: 'loading' }, reload]
}
