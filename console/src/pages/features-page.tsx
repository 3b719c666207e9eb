import type { FeatureCatalogueView, FeatureDetailView } from 'isotherm/http'
import { useNow } from '../api/clock.ts'
import { useKeys } from '../api/keyboard.ts'
import { useResource } from '../api/resource.ts'
import { Empty, Failed, Late, Loading } from '../parts/page-states.tsx'
import { useConsole } from '../use-console.ts'
import {
  type CatalogueRow,
  catalogueRows,
  catalogueSentence,
  type SpreadBar,
} from '../view/feature-catalogue.ts'
import { sentenceCase } from '../view/number-text.ts'
import type { FeatureFilters } from '../view/route.ts'
import { agoText } from '../view/time-text.ts'

const renewMs = 60_000

type Change = (filters: FeatureFilters) => void

/** Where the fleet's values lie: whiskers at 5 and 95 %, box of the middle half, median. */
function Spread({ bar }: { readonly bar: SpreadBar }) {
  const x = (share: number) => 1 + share * 98
  return (
    <svg class="catalogue-bar" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
      <rect x="0" y="5.5" width="100" height="1" class="track" />
      <rect x={x(bar.low)} y="5" width={x(bar.high) - x(bar.low)} height="2" class="whisker" />
      <rect
        x={x(bar.boxStart)}
        y="2"
        width={Math.max(1, x(bar.boxEnd) - x(bar.boxStart))}
        height="8"
        class="box"
      />
      <rect x={x(bar.median) - 0.6} y="0" width="1.2" height="12" class="median" />
    </svg>
  )
}

function Sql({ name }: { readonly name: string }) {
  const [detail, reload] = useResource<FeatureDetailView>(
    `/api/v1/features/${encodeURIComponent(name)}`,
  )
  if (detail.kind === 'loading') return <Loading rows={1} height={120} />
  if (detail.kind === 'failed') return <Failed reason={detail.reason} retry={reload} />
  const { minutes, sql } = detail.value
  return (
    <div class="catalogue-sql">
      <h3>DuckDB, windows of {minutes} min</h3>
      <pre>{sql.duckdb}</pre>
      <h3>Spark SQL</h3>
      <pre>{sql.spark}</pre>
    </div>
  )
}

function Feature(props: {
  readonly row: CatalogueRow
  readonly isOpen: boolean
  readonly toggle: () => void
}) {
  const { row, isOpen, toggle } = props
  return (
    <li class={isOpen ? 'catalogue-entry open' : 'catalogue-entry'}>
      <button type="button" class="catalogue-head" aria-expanded={isOpen} onClick={toggle}>
        <span class="catalogue-name">{row.name}</span>
        <span class="muted catalogue-label">
          {sentenceCase(row.label)}
          {row.unit === '' ? '' : `, ${row.unit}`}
        </span>
        <span class="catalogue-spread">
          {row.bar !== undefined && <Spread bar={row.bar} />}
          <span class="muted">{row.spreadText}</span>
        </span>
        <span class={row.isMostlyNull ? 'catalogue-null outside' : 'muted catalogue-null'}>
          {row.nullText}
        </span>
        <span class="muted catalogue-users">
          {row.models.length === 0 ? 'no model' : `${row.models.length} of the models`}
        </span>
      </button>
      {isOpen && (
        <div class="catalogue-body">
          <dl>
            <dt>Formula</dt>
            <dd>{row.formula}</dd>
            <dt>Null when</dt>
            <dd>{row.nullWhen}</dd>
            <dt>Group</dt>
            <dd>{row.group}</dd>
            <dt>Read by</dt>
            <dd>
              {[...row.models.map((model) => `model ${model}`), ...row.others].join('; ') || '–'}
            </dd>
          </dl>
          <Sql name={row.name} />
        </div>
      )}
    </li>
  )
}

function Filters(props: { readonly filters: FeatureFilters; readonly change: Change }) {
  const { filters, change } = props
  return (
    <search class="filters" aria-label="Filters">
      <input
        id="search"
        type="search"
        placeholder="Search name, group or unit"
        aria-label="Search name, group or unit"
        value={filters.search}
        onInput={(event) => change({ ...filters, search: event.currentTarget.value })}
      />
      <select
        aria-label="Kind"
        value={filters.kind}
        onChange={(event) =>
          change({ ...filters, kind: event.currentTarget.value as FeatureFilters['kind'] })
        }
      >
        <option value="">All kinds</option>
        <option value="stored">Stored</option>
        <option value="model_input">Made for models</option>
        <option value="experimental">Experimental</option>
      </select>
    </search>
  )
}

function Catalogue(props: {
  readonly view: FeatureCatalogueView
  readonly filters: FeatureFilters
}) {
  const { view, filters } = props
  const { navigate } = useConsole()
  const nowMs = useNow(10_000)
  const rows = catalogueRows(view, filters)
  const change: Change = (next) => navigate({ page: 'features', filters: next }, 'replace')
  const endMs = view.newest === null ? nowMs : Date.parse(view.newest.window_end)
  return (
    <>
      <p class="summary" aria-live="polite">
        {catalogueSentence(view, agoText(endMs, nowMs))}
      </p>
      <Filters filters={filters} change={change} />
      {rows.length === 0 ? (
        <Empty title="No feature matches these filters">
          <p>Take a filter away to see more.</p>
        </Empty>
      ) : (
        <ul class="panel catalogue-list">
          {rows.map((row) => (
            <Feature
              key={row.name}
              row={row}
              isOpen={filters.feature === row.name}
              toggle={() =>
                change({ ...filters, feature: filters.feature === row.name ? '' : row.name })
              }
            />
          ))}
        </ul>
      )}
      <p class="muted">
        Also for each stored feature f, made when a model asks:{' '}
        {view.families.map(({ pattern }) => pattern.replace('{f}', 'f')).join(', ')}. Version of the
        definitions: {view.feature_version}.
      </p>
    </>
  )
}

/** What is computed from the readings: definitions, spread, freshness and readers. */
export function FeaturesPage({ filters }: { readonly filters: FeatureFilters }) {
  const renewal = Math.floor(useNow(renewMs) / renewMs)
  const [view, reload] = useResource<FeatureCatalogueView>('/api/v1/features', String(renewal))
  useKeys({ '/': () => document.getElementById('search')?.focus() })
  return (
    <div class="catalogue page">
      <header class="page-head">
        <h1>Features</h1>
      </header>
      {view.kind === 'loading' && <Loading rows={6} height={44} />}
      {view.kind === 'failed' && <Failed reason={view.reason} retry={reload} />}
      {view.kind === 'ready' && (
        <>
          {view.fault !== undefined && <Late>This picture may be out of date. {view.fault}</Late>}
          <Catalogue view={view.value} filters={filters} />
        </>
      )}
    </div>
  )
}
