import type { FleetView, HealthView, MeView } from 'isotherm/http'
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { useNow } from './api/clock.ts'
import { type LiveState, listenToEvents } from './api/event-listener.ts'
import { useKeys } from './api/keyboard.ts'
import { useRoute } from './api/location.ts'
import { useResource } from './api/resource.ts'
import { keepToken } from './api/session.ts'
import { useTheme } from './api/theme.ts'
import { Console, type ConsoleContext } from './console-context.ts'
import { ContractsPage } from './pages/contracts-page.tsx'
import { DeadLettersPage } from './pages/dead-letters-page.tsx'
import { DevicePage } from './pages/device-page.tsx'
import { FeaturesPage } from './pages/features-page.tsx'
import { FleetPage } from './pages/fleet-page.tsx'
import { LedgerPage } from './pages/ledger-page.tsx'
import { QualityPage } from './pages/quality-page.tsx'
import { WorkPage } from './pages/work-page.tsx'
import { HelpDialog } from './parts/help-dialog.tsx'
import { Empty, Failed, Loading } from './parts/page-states.tsx'
import { Shell } from './parts/shell.tsx'
import { SignIn } from './parts/sign-in.tsx'
import { dataAge } from './view/data-age.ts'
import { noFleetFilters, noLetterFilters, noWorkFilters, type Route } from './view/route.ts'

/** Health is read this often even when no event arrives, so that lateness shows. */
const healthIntervalMs = 30_000
/** Changes within this time are read at once: a run may touch thousands of devices. */
const settleMs = 400
const toastMs = 6000

/** Counts changes of alerts and devices that the server reports. */
function useLiveRevisions() {
  const [live, setLive] = useState<LiveState>('connecting')
  const [alertRevision, setAlertRevision] = useState(0)
  const [deviceRevision, setDeviceRevision] = useState(0)
  const timers = useRef<{ alert?: number; device?: number }>({})
  useEffect(() => {
    const abort = new AbortController()
    const later = (name: 'alert' | 'device', raise: () => void) => {
      timers.current[name] ??= window.setTimeout(() => {
        delete timers.current[name]
        raise()
      }, settleMs)
    }
    const onAlert = () => later('alert', () => setAlertRevision((count) => count + 1))
    const onDevice = () => later('device', () => setDeviceRevision((count) => count + 1))
    void listenToEvents({
      signal: abort.signal,
      onState: setLive,
      onEvent: ({ kind }) => {
        if (kind === 'alerts' || kind === 'reset') onAlert()
        if (kind !== 'hello') onDevice()
      },
    })
    return () => abort.abort()
  }, [])
  return { live, alertRevision, deviceRevision }
}

function useToast() {
  const [toast, setToast] = useState<{ text: string; kind: 'done' | 'failed' }>()
  const timer = useRef(0)
  const say = useCallback((text: string, kind: 'done' | 'failed' = 'done') => {
    clearTimeout(timer.current)
    setToast({ text, kind })
    timer.current = window.setTimeout(() => setToast(undefined), toastMs)
  }, [])
  return { toast, say }
}

const titles: Readonly<Record<Route['page'], string>> = {
  work: 'Work list',
  fleet: 'Fleet',
  'dead-letters': 'Dead letters',
  quality: 'Quality',
  ledger: 'Ledger',
  features: 'Features',
  contracts: 'Data contracts',
  device: 'Device',
  unknown: 'Not found',
}

function Page({ route }: { readonly route: Route }) {
  switch (route.page) {
    case 'work':
      return <WorkPage filters={route.filters} />
    case 'fleet':
      return <FleetPage filters={route.filters} />
    case 'dead-letters':
      return <DeadLettersPage filters={route.filters} />
    case 'features':
      return <FeaturesPage filters={route.filters} />
    case 'ledger':
      return <LedgerPage filters={route.filters} />
    case 'quality':
      return <QualityPage filters={route.filters} />
    case 'contracts':
      return <ContractsPage filters={route.filters} />
    case 'device':
      return <DevicePage key={route.deviceId} deviceId={route.deviceId} range={route.range} />
    case 'unknown':
      return <Empty title="There is no such page" />
  }
}

/** The console: shell, live connection and the page that the URL names. */
export function App() {
  const [route, navigate] = useRoute()
  const theme = useTheme()
  const nowMs = useNow(10_000)
  const { live, alertRevision, deviceRevision } = useLiveRevisions()
  const { toast, say } = useToast()
  const [isHelpOpen, setHelpOpen] = useState(false)
  const [fleet, reloadFleet] = useResource<FleetView>('/api/v1/fleet')
  const [me] = useResource<MeView>('/api/v1/me')
  const tick = Math.floor(nowMs / healthIntervalMs)
  const [health] = useResource<HealthView>('/api/v1/health', `${tick}:${deviceRevision}`)

  useEffect(() => {
    const name = route.page === 'device' ? route.deviceId : titles[route.page]
    document.title = `${name} · Isotherm`
  }, [route])
  useKeys({
    '?': () => setHelpOpen(true),
    1: () => navigate({ page: 'work', filters: noWorkFilters }),
    2: () => navigate({ page: 'fleet', filters: noFleetFilters }),
    3: () => navigate({ page: 'dead-letters', filters: noLetterFilters }),
    t: theme.toggle,
  })

  const fleetView = fleet.kind === 'ready' ? fleet.value : undefined
  const healthView = health.kind === 'ready' ? health.value : undefined
  const meView = me.kind === 'ready' ? me.value : undefined
  const context = useMemo<ConsoleContext | undefined>(
    () =>
      fleetView && {
        fleet: fleetView,
        health: healthView,
        me: meView,
        navigate,
        isDark: theme.isDark,
        alertRevision,
        deviceRevision,
        say,
      },
    [fleetView, healthView, meView, navigate, theme.isDark, alertRevision, deviceRevision, say],
  )

  if (fleet.kind === 'failed' && fleet.status === 401) {
    return (
      <SignIn
        onToken={(token) => {
          keepToken(token)
          location.reload()
        }}
      />
    )
  }
  return (
    <Shell
      route={route}
      navigate={navigate}
      title={fleetView?.title ?? ''}
      me={meView}
      age={healthView && dataAge(healthView, nowMs)}
      live={live}
      isDark={theme.isDark}
      toggleTheme={theme.toggle}
      openHelp={() => setHelpOpen(true)}
    >
      {fleet.kind === 'failed' && <Failed reason={fleet.reason} retry={reloadFleet} />}
      {fleet.kind === 'loading' && <Loading rows={3} height={150} />}
      {context !== undefined && (
        <Console.Provider value={context}>
          <Page route={route} />
        </Console.Provider>
      )}
      {isHelpOpen && <HelpDialog onClose={() => setHelpOpen(false)} />}
      <div class="toasts" role="status" aria-live="polite">
        {toast !== undefined && <p class={`toast ${toast.kind}`}>{toast.text}</p>}
      </div>
    </Shell>
  )
}
