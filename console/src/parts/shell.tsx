import type { MeView } from 'isotherm/http'
import type { ComponentChildren } from 'preact'
import type { LiveState } from '../api/event-listener.ts'
import { linkProps, type Navigate } from '../api/location.ts'
import type { DataAge } from '../view/data-age.ts'
import {
  noFeatureFilters,
  noFleetFilters,
  noLedgerFilters,
  noLetterFilters,
  noWorkFilters,
  type Route,
} from '../view/route.ts'

const liveWords: Readonly<Record<LiveState, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  broken: 'Connection lost, trying again',
}

type Tab = { readonly route: Route; readonly label: string; readonly icon: string }

/** The pages of the console, most used first. */
const tabs: readonly Tab[] = [
  {
    route: { page: 'work', filters: noWorkFilters },
    label: 'Work list',
    icon: 'M9 6h11M9 12h11M9 18h11M4 6h.01M4 12h.01M4 18h.01',
  },
  {
    route: { page: 'fleet', filters: noFleetFilters },
    label: 'Fleet',
    icon: 'm8 3 4 2.3v4.6L8 12.2 4 9.9V5.3zM16 3l4 2.3v4.6l-4 2.3-4-2.3M12 11.8l4 2.3v4.6L12 21l-4-2.3v-4.6z',
  },
  {
    route: { page: 'dead-letters', filters: noLetterFilters },
    label: 'Dead letters',
    icon: 'M4 6h16v12H4zM4 7l8 6 8-6',
  },
  {
    route: { page: 'ledger', filters: noLedgerFilters },
    label: 'Ledger',
    icon: 'M5 3h14v18H5zM9 9h6M9 13h6M9 17h3',
  },
  {
    route: { page: 'quality', filters: { by: 'site' } },
    label: 'Quality',
    icon: 'M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6zM9 12l2 2 4-4',
  },
  {
    route: { page: 'features', filters: noFeatureFilters },
    label: 'Features',
    icon: 'M4 20V10M10 20V4M16 20v-7M22 20H2',
  },
]

function Navigation({ route, navigate }: { readonly route: Route; readonly navigate: Navigate }) {
  return (
    <nav class="tabs" aria-label="Pages">
      {tabs.map((tab) => (
        <a
          key={tab.label}
          {...linkProps(tab.route, navigate)}
          aria-current={route.page === tab.route.page ? 'page' : undefined}
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d={tab.icon} />
          </svg>
          {tab.label}
        </a>
      ))}
    </nav>
  )
}

/** Head, navigation and banner around a page. */
export function Shell(props: {
  readonly route: Route
  readonly navigate: Navigate
  readonly title: string
  readonly me: MeView | undefined
  readonly age: DataAge | undefined
  readonly live: LiveState
  readonly isDark: boolean
  readonly toggleTheme: () => void
  readonly openHelp: () => void
  readonly children: ComponentChildren
}) {
  const home = { page: 'work', filters: noWorkFilters } as const
  const { age } = props
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="top">
        <a class="brand" {...linkProps(home, props.navigate)}>
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path d="M16 2 28 9v14l-12 7L4 23V9z" class="brand-cell" />
            <path d="M8.5 19c3-5 5 1.5 7.5-1.5s3-7 7.5-5.5" class="brand-line" />
          </svg>
          <span>Isotherm</span>
        </a>
        <Navigation route={props.route} navigate={props.navigate} />
        <span class="top-space">{props.title}</span>
        <span class={`age ${age?.state ?? 'empty'}`}>
          <span class={`live ${props.live}`} title={liveWords[props.live]}>
            <span class="unseen">{liveWords[props.live]}. </span>
          </span>
          {age?.text ?? ''}
        </span>
        <button
          type="button"
          class="icon-button"
          onClick={props.toggleTheme}
          aria-label={props.isDark ? 'Use light colours' : 'Use dark colours'}
          aria-keyshortcuts="t"
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            {props.isDark ? (
              <path d="M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM12 2v2M12 20v2M4.2 4.2l1.4 1.4M18.4 18.4l1.4 1.4M2 12h2M20 12h2M4.2 19.8l1.4-1.4M18.4 5.6l1.4-1.4" />
            ) : (
              <path d="M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z" />
            )}
          </svg>
        </button>
        <button
          type="button"
          class="icon-button help-button"
          onClick={props.openHelp}
          aria-label="Keyboard help"
          aria-keyshortcuts="?"
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.5v.01" />
          </svg>
        </button>
      </header>
      {age !== undefined && age.banner !== '' && (
        <p class={`banner ${age.state}`} role={age.state === 'failed' ? 'alert' : 'status'}>
          {age.banner}
        </p>
      )}
      <main id="main" tabIndex={-1}>
        {props.children}
      </main>
    </>
  )
}
