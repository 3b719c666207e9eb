import type { AlertPage, AlertView } from 'isotherm/http'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { useNow } from '../api/clock.ts'
import { useKeys } from '../api/keyboard.ts'
import { type Resource, useResource } from '../api/resource.ts'
import { AlertCardView } from '../parts/alert-card.tsx'
import { useCardActions } from '../parts/alert-list.tsx'
import { Empty, Failed, Late, Loading } from '../parts/page-states.tsx'
import { useConsole } from '../use-console.ts'
import { plural } from '../view/number-text.ts'
import type { WorkFilters } from '../view/route.ts'
import { defaultRange } from '../view/time-range.ts'
import { moveFocus, type WorkList, workList } from '../view/work-list.ts'

const severities: readonly AlertView['severity'][] = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW']

function Filters(props: {
  readonly filters: WorkFilters
  readonly list: WorkList
  readonly change: (filters: WorkFilters) => void
}) {
  const { filters, change } = props
  const toggle = (severity: string) =>
    change({
      ...filters,
      severity: filters.severity.includes(severity)
        ? filters.severity.filter((item) => item !== severity)
        : [...filters.severity, severity],
    })
  return (
    <search class="filters" aria-label="Filters">
      <div class="chips">
        {severities.map((severity) => (
          <button
            key={severity}
            type="button"
            class="chip-button"
            aria-pressed={filters.severity.includes(severity)}
            onClick={() => toggle(severity)}
          >
            {severity.charAt(0) + severity.slice(1).toLowerCase()}
          </button>
        ))}
      </div>
      <select
        id="search"
        aria-label="Site"
        value={filters.site}
        onChange={(event) => change({ ...filters, site: event.currentTarget.value })}
      >
        <option value="">All sites</option>
        {props.list.sites.map(({ siteId, name }) => (
          <option key={siteId} value={siteId}>
            {name}
          </option>
        ))}
      </select>
      <label class="switch">
        <input
          type="checkbox"
          checked={filters.isSuppressedShown}
          onChange={(event) =>
            change({ ...filters, isSuppressedShown: event.currentTarget.checked })
          }
        />
        <span>Suppressed</span>
      </label>
    </search>
  )
}

function Watched({ isFiltered }: { readonly isFiltered: boolean }) {
  const { fleet } = useConsole()
  if (isFiltered) {
    return (
      <Empty title="No alert matches these filters">
        <p>Take a filter away to see more.</p>
      </Empty>
    )
  }
  return (
    <Empty title="Nothing to act on" isGood>
      <p>
        {plural(fleet.sensors.length, 'sensor')} of every {fleet.device_noun} are watched by{' '}
        {plural(fleet.models.length, 'model')} and {plural(fleet.stream_rules.length, 'live rule')}.
        What behaves unusually appears here, with the reason.
      </p>
    </Empty>
  )
}

function useFocusedAlert(list: WorkList, focused: string) {
  const moved = useRef(false)
  useEffect(() => {
    if (!moved.current || focused === '') return
    moved.current = false
    const card = document.getElementById(`alert-${focused}`)
    card?.scrollIntoView({ block: 'nearest' })
  }, [focused])
  return {
    move: (step: 1 | -1) => {
      moved.current = true
      return moveFocus(list.order, focused, step)
    },
  }
}

const noAlerts: readonly AlertView[] = []

function alertsOf(page: Resource<AlertPage>): readonly AlertView[] {
  return page.kind === 'ready' ? page.value.alerts : noAlerts
}

/** The work list: which units to look at first, and why. */
export function WorkPage({ filters }: { readonly filters: WorkFilters }) {
  const { navigate, alertRevision } = useConsole()
  const nowMs = useNow(5000)
  const path = `/api/v1/alerts?limit=200&suppressed=${filters.isSuppressedShown}`
  const [page, reload] = useResource<AlertPage>(path, alertRevision)
  const alerts = alertsOf(page)
  const list = useMemo(() => workList(alerts, filters, nowMs), [alerts, filters, nowMs])
  const cards = list.groups.flatMap((group) => group.cards)
  const { begin, dialog } = useCardActions(reload)
  const focus = useFocusedAlert(list, filters.alert)
  const change = (next: WorkFilters) => navigate({ page: 'work', filters: next }, 'replace')
  const current = cards.find(({ alertId }) => alertId === filters.alert)
  const step = (by: 1 | -1) => change({ ...filters, alert: focus.move(by) })
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    a: () => begin('acknowledge', current),
    s: () => begin('start', current),
    r: () => begin('resolve', current),
    f: () => begin('false-positive', current),
    Enter: () => {
      if (current === undefined) return
      navigate({ page: 'device', deviceId: current.deviceId, range: defaultRange })
    },
    '/': () => document.getElementById('search')?.focus(),
  })
  const isFiltered = filters.severity.length > 0 || filters.site !== ''
  return (
    <div class="work page">
      <header class="page-head">
        <h1>Work list</h1>
        <p class="summary" aria-live="polite">
          {page.kind === 'ready' ? list.summary : '\u00a0'}
        </p>
        <Filters filters={filters} list={list} change={change} />
      </header>
      {page.kind === 'loading' && <Loading rows={3} height={210} />}
      {page.kind === 'failed' && <Failed reason={page.reason} retry={reload} />}
      {page.kind === 'ready' && page.fault !== undefined && (
        <Late>This list may be out of date. {page.fault}</Late>
      )}
      {page.kind === 'ready' && cards.length === 0 && <Watched isFiltered={isFiltered} />}
      {list.groups.map((group) => (
        <section key={group.key} class={group.heading === '' ? '' : 'group'}>
          {group.heading !== '' && <h2>{group.heading}</h2>}
          {group.cards.map((card) => (
            <AlertCardView
              key={card.alertId}
              card={card}
              isFocused={card.alertId === filters.alert}
              onAction={(action) => begin(action, card)}
              onFocus={() => {
                if (card.alertId !== filters.alert) change({ ...filters, alert: card.alertId })
              }}
            />
          ))}
        </section>
      ))}
      {page.kind === 'ready' && page.value.next_cursor !== null && (
        <p class="muted">The 200 most urgent alerts are shown.</p>
      )}
      {dialog}
    </div>
  )
}
