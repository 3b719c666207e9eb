import { useCallback, useEffect, useState } from 'preact/hooks'

/** Colours of the page: as the system says, or fixed. */
export type Theme = 'system' | 'light' | 'dark'

const storageKey = 'isotherm-theme'

const stored = (): Theme => {
  const value = localStorage.getItem(storageKey)
  return value === 'light' || value === 'dark' ? value : 'system'
}

const isDark = (theme: Theme) =>
  theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)

/** The theme in use, whether it is dark right now, and the switch. */
export function useTheme(): {
  readonly theme: Theme
  readonly isDark: boolean
  readonly toggle: () => void
} {
  const [theme, setTheme] = useState(stored)
  const [dark, setDark] = useState(() => isDark(stored()))
  useEffect(() => {
    const media = matchMedia('(prefers-color-scheme: dark)')
    const apply = () => {
      const next = isDark(theme)
      document.documentElement.dataset.theme = next ? 'dark' : 'light'
      setDark(next)
    }
    apply()
    media.addEventListener('change', apply)
    return () => media.removeEventListener('change', apply)
  }, [theme])
  const toggle = useCallback(() => {
    const next = isDark(stored()) ? 'light' : 'dark'
    localStorage.setItem(storageKey, next)
    setTheme(next)
  }, [])
  return { theme, isDark: dark, toggle }
}
