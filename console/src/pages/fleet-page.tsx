import type { Overview } from 'isotherm/http'
import { useMemo, useState } from 'preact/hooks'
import { useNow } from '../api/clock.ts'
import { useKeys } from '../api/keyboard.ts'
import { linkProps } from '../api/location.ts'
import { useResource } from '../api/resource.ts'
import { CombCanvas } from '../parts/comb-canvas.tsx'
import { HealthMark } from '../parts/marks.tsx'
import { Empty, Failed, Late, Loading } from '../parts/page-states.tsx'
import { ScoreCell } from '../parts/score-cell.tsx'
import { useConsole } from '../use-console.ts'
import {
  type FleetRow,
  filterRows,
  fleetRows,
  fleetSentence,
  healthCounts,
  healthStates,
  type RankedSite,
  rankedSites,
  trendWord,
} from '../view/fleet-rows.ts'
import { countText, plural, scoreText } from '../view/number-text.ts'
import type { FleetFilters } from '../view/route.ts'
import { defaultRange } from '../view/time-range.ts'

/** Health turns without any event when a device falls silent; this often the picture is renewed. */
const renewMs = 30_000
const firstRowCount = 60

function Counts(props: {
  readonly rows: readonly FleetRow[]
  readonly filters: FleetFilters
  readonly change: (filters: FleetFilters) => void
}) {
  const counts = healthCounts(props.rows)
  const chosen = props.filters.health
  return (
    <div class="counts">
      {healthStates.map(({ health, word, meaning }) => (
        <button
          key={health}
          type="button"
          class="count"
          aria-pressed={chosen.includes(health)}
          title={`${word}: ${meaning}`}
          onClick={() =>
            props.change({
              ...props.filters,
              health: chosen.includes(health)
                ? chosen.filter((item) => item !== health)
                : [...chosen, health],
            })
          }
        >
          <HealthMark health={health} />
          <span class="count-number">{countText(counts[health])}</span>
          <span class="count-word">{word}</span>
        </button>
      ))}
    </div>
  )
}

function Filters(props: {
  readonly overview: Overview
  readonly filters: FleetFilters
  readonly change: (filters: FleetFilters) => void
}) {
  const { overview, filters, change } = props
  const sites = overview.sites.toSorted((a, b) =>
    (a.site_name ?? a.site_id).localeCompare(b.site_name ?? b.site_id),
  )
  return (
    <search class="filters" aria-label="Filters">
      <input
        id="search"
        type="search"
        placeholder="Search unit, site or model"
        aria-label="Search unit, site or model"
        value={filters.search}
        onInput={(event) => change({ ...filters, search: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur()
        }}
      />
      <select
        aria-label="Site"
        value={filters.site}
        onChange={(event) => change({ ...filters, site: event.currentTarget.value })}
      >
        <option value="">All sites</option>
        {sites.map((site) => (
          <option key={site.site_id} value={site.site_id}>
            {site.site_name ?? site.site_id}
          </option>
        ))}
      </select>
      <select
        aria-label="Model"
        value={filters.model}
        onChange={(event) => change({ ...filters, model: event.currentTarget.value })}
      >
        <option value="">All models</option>
        {overview.models.map((model) => (
          <option key={model} value={model}>
            {model}
          </option>
        ))}
      </select>
    </search>
  )
}

function Sites(props: {
  readonly sites: readonly RankedSite[]
  readonly choose: (siteId: string) => void
}) {
  return (
    <section class="panel sites" aria-labelledby="sites-title">
      <h2 id="sites-title">Sites by units in alert</h2>
      {props.sites.length === 0 && <p class="muted">No site has a unit in alert.</p>}
      <ol>
        {props.sites.slice(0, 10).map((site) => (
          <li key={site.siteId}>
            <button type="button" onClick={() => props.choose(site.siteId)}>
              <span class="site-name">{site.name}</span>
              <span class="site-count">
                {site.inAlert} of {countText(site.deviceCount)}
              </span>
              <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                <rect width="100" height="4" rx="2" class="track" />
                <rect width={Math.max(2, site.share * 100)} height="4" rx="2" class="fill" />
              </svg>
              <span class="muted">mean score {scoreText(site.meanScore)}</span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  )
}

function DeviceTable({ rows }: { readonly rows: readonly FleetRow[] }) {
  const { navigate, fleet } = useConsole()
  const [shown, setShown] = useState(firstRowCount)
  return (
    <section class="panel units" aria-labelledby="units-title">
      <h2 id="units-title">{plural(rows.length, fleet.device_noun)}, worst first</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Unit</th>
            <th scope="col">Site</th>
            <th scope="col">Score</th>
            <th scope="col">Trend</th>
            <th scope="col">Alerts</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shown).map((row) => (
            <tr key={row.deviceId}>
              <th scope="row">
                <HealthMark health={row.health} />
                <a
                  {...linkProps(
                    { page: 'device', deviceId: row.deviceId, range: defaultRange },
                    navigate,
                  )}
                >
                  {row.deviceId}
                </a>
                <span class="unseen">{row.health}</span>
                <span class="row-site">{row.siteName}</span>
              </th>
              <td>
                {row.siteName}
                <span class="muted model"> {row.model}</span>
              </td>
              <td>
                <ScoreCell score={row.score} />
              </td>
              <td class={`trend ${trendWord(row.trend)}`}>{trendWord(row.trend)}</td>
              <td>{row.openAlertCount === 0 ? '' : row.openAlertCount}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown && (
        <button type="button" class="button" onClick={() => setShown(shown + 200)}>
          Show more of {countText(rows.length)}
        </button>
      )}
    </section>
  )
}

function FleetView(props: { readonly overview: Overview; readonly filters: FleetFilters }) {
  const { overview, filters } = props
  const { navigate, fleet, isDark } = useConsole()
  const rows = useMemo(() => fleetRows(overview), [overview])
  const shown = useMemo(() => filterRows(rows, filters), [rows, filters])
  const sites = useMemo(() => rankedSites(overview), [overview])
  const sentence = fleetSentence(shown, fleet.device_noun)
  const change = (next: FleetFilters) => navigate({ page: 'fleet', filters: next }, 'replace')
  const open = (row: FleetRow) =>
    navigate({ page: 'device', deviceId: row.deviceId, range: defaultRange })
  const inOtherStates = filterRows(rows, { ...filters, health: [] })
  if (rows.length === 0) {
    return (
      <Empty title={`No ${fleet.device_noun} is registered yet`}>
        <p>Register devices or import a file; they appear here at once.</p>
      </Empty>
    )
  }
  return (
    <>
      <p class="summary" aria-live="polite">
        {sentence}
      </p>
      <Counts rows={inOtherStates} filters={filters} change={change} />
      <Filters overview={overview} filters={filters} change={change} />
      {shown.length === 0 ? (
        <Empty title="No unit matches these filters">
          <p>Take a filter away to see more.</p>
        </Empty>
      ) : (
        <div class="fleet-grid">
          <section class="panel" aria-label="All units at a glance">
            <CombCanvas rows={shown} isDark={isDark} label={sentence} onOpen={open} />
          </section>
          <Sites sites={sites} choose={(site) => change({ ...filters, site })} />
          <DeviceTable rows={shown} />
        </div>
      )}
    </>
  )
}

/** The health of all units at a glance. */
export function FleetPage({ filters }: { readonly filters: FleetFilters }) {
  const { alertRevision, deviceRevision } = useConsole()
  const renewal = Math.floor(useNow(renewMs) / renewMs)
  const [overview, reload] = useResource<Overview>(
    '/api/v1/overview',
    `${alertRevision}:${deviceRevision}:${renewal}`,
  )
  useKeys({ '/': () => document.getElementById('search')?.focus() })
  return (
    <div class="fleet page">
      <header class="page-head">
        <h1>Fleet</h1>
      </header>
      {overview.kind === 'loading' && <Loading rows={2} height={240} />}
      {overview.kind === 'failed' && <Failed reason={overview.reason} retry={reload} />}
      {overview.kind === 'ready' && (
        <>
          {overview.fault !== undefined && (
            <Late>This picture may be out of date. {overview.fault}</Late>
          )}
          <FleetView overview={overview.value} filters={filters} />
        </>
      )}
    </div>
  )
}
