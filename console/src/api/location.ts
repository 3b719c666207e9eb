import { useCallback, useEffect, useState } from 'preact/hooks'
import { parseRoute, type Route, routeUrl } from '../view/route.ts'

/** How to go somewhere: `replace` leaves no step in the history, for filters and focus. */
export type Navigate = (route: Route, how?: 'push' | 'replace') => void

const current = () => parseRoute(location.pathname, location.search)

/** The route in the address bar, and the way to another one. */
export function useRoute(): readonly [Route, Navigate] {
  const [route, setRoute] = useState(current)
  useEffect(() => {
    const onChange = () => setRoute(current())
    addEventListener('popstate', onChange)
    return () => removeEventListener('popstate', onChange)
  }, [])
  const navigate = useCallback<Navigate>((next, how = 'push') => {
    const url = routeUrl(next)
    if (how === 'push') {
      history.pushState(null, '', url)
      scrollTo(0, 0)
    } else history.replaceState(null, '', url)
    setRoute(next)
  }, [])
  return [route, navigate]
}

/**
 * Props of a link inside the console: a real address for new tabs and screen readers, no page load
 * for a plain click.
 */
export function linkProps(route: Route, navigate: Navigate) {
  return {
    href: routeUrl(route),
    onClick: (event: MouseEvent) => {
      if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
      event.preventDefault()
      navigate(route)
    },
  }
}
