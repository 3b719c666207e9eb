import { useEffect, useRef } from 'preact/hooks'

/** What a key does; the key is `KeyboardEvent.key`. */
export type KeyMap = Readonly<Record<string, () => void>>

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  )
}

/** True for keys that a focused link or button answers by itself. */
function isOwnKey(event: KeyboardEvent): boolean {
  return (
    (event.key === 'Enter' || event.key === ' ') &&
    event.target instanceof HTMLElement &&
    /^(A|BUTTON|SUMMARY)$/.test(event.target.tagName)
  )
}

/** Listens to single keys while nobody types and no dialog is open. */
export function useKeys(keys: KeyMap): void {
  const latest = useRef(keys)
  latest.current = keys
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented) return
      if (isTyping(event.target) || isOwnKey(event)) return
      if (document.querySelector('dialog[open]') !== null) return
      const action = latest.current[event.key]
      if (action === undefined) return
      event.preventDefault()
      action()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}
