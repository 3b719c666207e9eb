import { rangeOf, rangeParameters, type TimeRange } from './time-range.ts'

/** Filters of the work list. */
export type WorkFilters = {
  readonly severity: readonly string[]
  readonly site: string
  readonly isSuppressedShown: boolean
  /** Which alert has the focus. */
  readonly alert: string
}

/** Filters of the fleet page. */
export type FleetFilters = {
  readonly health: readonly string[]
  readonly site: string
  readonly model: string
  readonly search: string
}

/** Filters of the page of messages that could not be read. */
export type LetterFilters = {
  readonly reason: string
  readonly device: string
  readonly status: 'new' | 'replayed' | 'discarded' | 'all'
  /** Which one is open. */
  readonly letter: string
}

/** How the quality page groups the fleet. */
export type QualityFilters = { readonly by: 'site' | 'firmware' | 'both' }

/** Which data contract is open; empty: none. */
export type ContractFilters = { readonly contract: string }

/** Filters of the catalogue of features. */
export type FeatureFilters = {
  readonly kind: '' | 'stored' | 'model_input' | 'experimental'
  readonly search: string
  /** Which one is open. */
  readonly feature: string
}

/** Whose books the ledger shows, and how many hours back. */
export type LedgerFilters = { readonly device: string; readonly hours: string }

/** What the URL says is shown. */
export type Route =
  | { readonly page: 'work'; readonly filters: WorkFilters }
  | { readonly page: 'fleet'; readonly filters: FleetFilters }
  | { readonly page: 'dead-letters'; readonly filters: LetterFilters }
  | { readonly page: 'quality'; readonly filters: QualityFilters }
  | { readonly page: 'ledger'; readonly filters: LedgerFilters }
  | { readonly page: 'contracts'; readonly filters: ContractFilters }
  | { readonly page: 'features'; readonly filters: FeatureFilters }
  | { readonly page: 'device'; readonly deviceId: string; readonly range: TimeRange }
  | { readonly page: 'unknown'; readonly path: string }

/** The work list without filters. */
export const noWorkFilters: WorkFilters = {
  severity: [],
  site: '',
  isSuppressedShown: false,
  alert: '',
}

/** The fleet without filters. */
export const noFleetFilters: FleetFilters = { health: [], site: '', model: '', search: '' }

/** The fleet's books of a day. */
export const noLedgerFilters: LedgerFilters = { device: '', hours: '24' }

/** Open messages of every reason. */
export const noLetterFilters: LetterFilters = { reason: '', device: '', status: 'new', letter: '' }

/** All features, none open. */
export const noFeatureFilters: FeatureFilters = { kind: '', search: '', feature: '' }

const featureKinds = ['stored', 'model_input', 'experimental'] as const

const groupings = ['site', 'firmware', 'both'] as const

const letterStatus = ['new', 'replayed', 'discarded', 'all'] as const

const list = (text: string | null): readonly string[] =>
  (text ?? '').split(',').filter((item) => item !== '')

/** Reads page, filters and time range from a URL's path and query. */
export function parseRoute(path: string, query: string): Route {
  const parameters = new URLSearchParams(query)
  if (path === '/' || path === '/work') {
    return {
      page: 'work',
      filters: {
        severity: list(parameters.get('severity')),
        site: parameters.get('site') ?? '',
        isSuppressedShown: parameters.get('suppressed') === 'true',
        alert: parameters.get('alert') ?? '',
      },
    }
  }
  if (path === '/fleet') {
    return {
      page: 'fleet',
      filters: {
        health: list(parameters.get('health')),
        site: parameters.get('site') ?? '',
        model: parameters.get('model') ?? '',
        search: parameters.get('search') ?? '',
      },
    }
  }
  if (path === '/dead-letters') {
    return {
      page: 'dead-letters',
      filters: {
        reason: parameters.get('reason') ?? '',
        device: parameters.get('device') ?? '',
        status: letterStatus.find((one) => one === parameters.get('status')) ?? 'new',
        letter: parameters.get('letter') ?? '',
      },
    }
  }
  if (path === '/quality') {
    const by = groupings.find((one) => one === parameters.get('by')) ?? 'site'
    return { page: 'quality', filters: { by } }
  }
  if (path === '/contracts') {
    return { page: 'contracts', filters: { contract: parameters.get('contract') ?? '' } }
  }
  if (path === '/features') {
    return {
      page: 'features',
      filters: {
        kind: featureKinds.find((one) => one === parameters.get('kind')) ?? '',
        search: parameters.get('search') ?? '',
        feature: parameters.get('feature') ?? '',
      },
    }
  }
  if (path === '/ledger') {
    const hours = parameters.get('hours') ?? ''
    return {
      page: 'ledger',
      filters: {
        device: parameters.get('device') ?? '',
        hours: ['1', '168'].includes(hours) ? hours : '24',
      },
    }
  }
  const device = /^\/devices\/([^/]+)$/.exec(path)?.[1]
  if (device === undefined) return { page: 'unknown', path }
  return { page: 'device', deviceId: decodeURIComponent(device), range: rangeOf(parameters) }
}

function url(path: string, parameters: readonly (readonly [string, string])[]): string {
  const set = parameters.filter(([, value]) => value !== '')
  const query = new URLSearchParams(set.map(([name, value]) => [name, value])).toString()
  return query === '' ? path : `${path}?${query}`
}

/** URL of a route; `parseRoute` reads it back. */
export function routeUrl(route: Route): string {
  switch (route.page) {
    case 'work':
      return url('/', [
        ['severity', route.filters.severity.join(',')],
        ['site', route.filters.site],
        ['suppressed', route.filters.isSuppressedShown ? 'true' : ''],
        ['alert', route.filters.alert],
      ])
    case 'fleet':
      return url('/fleet', [
        ['health', route.filters.health.join(',')],
        ['site', route.filters.site],
        ['model', route.filters.model],
        ['search', route.filters.search],
      ])
    case 'dead-letters':
      return url('/dead-letters', [
        ['reason', route.filters.reason],
        ['device', route.filters.device],
        ['status', route.filters.status === 'new' ? '' : route.filters.status],
        ['letter', route.filters.letter],
      ])
    case 'quality':
      return url('/quality', [['by', route.filters.by === 'site' ? '' : route.filters.by]])
    case 'contracts':
      return url('/contracts', [['contract', route.filters.contract]])
    case 'features':
      return url('/features', [
        ['kind', route.filters.kind],
        ['search', route.filters.search],
        ['feature', route.filters.feature],
      ])
    case 'ledger':
      return url('/ledger', [
        ['device', route.filters.device],
        ['hours', route.filters.hours === '24' ? '' : route.filters.hours],
      ])
    case 'device':
      return url(`/devices/${encodeURIComponent(route.deviceId)}`, rangeParameters(route.range))
    case 'unknown':
      return route.path
  }
}
