import type { FleetView, HealthView, MeView } from 'isotherm/http'
import { createContext } from 'preact'
import type { Navigate } from './api/location.ts'

/** What every page needs to know. */
export type ConsoleContext = {
  readonly fleet: FleetView
  readonly health: HealthView | undefined
  readonly me: MeView | undefined
  readonly navigate: Navigate
  readonly isDark: boolean
  /** Rises when alerts changed on the server. */
  readonly alertRevision: number
  /** Rises when devices or runs changed on the server. */
  readonly deviceRevision: number
  /** Says something for a few seconds, to eyes and screen readers. */
  readonly say: (text: string, kind?: 'done' | 'failed') => void
}

/** Given by the app around all pages. */
export const Console = createContext<ConsoleContext | undefined>(undefined)
