import type { FeatureCatalogueView } from 'isotherm/http'
import { countText, numberText, plural } from './number-text.ts'
import type { FeatureFilters } from './route.ts'

type Feature = FeatureCatalogueView['features'][number]

/** Shares of the drawn width, 0 to 1; absent without values. */
export type SpreadBar = {
  readonly low: number
  readonly boxStart: number
  readonly median: number
  readonly boxEnd: number
  readonly high: number
}

/** One feature of the catalogue as the page shows it. */
export type CatalogueRow = {
  readonly name: string
  readonly label: string
  readonly group: string
  readonly unit: string
  readonly formula: string
  readonly nullWhen: string
  /** Models that read it. */
  readonly models: readonly string[]
  /** Everything else that reads it. */
  readonly others: readonly string[]
  /** `2.1 % null`; empty when it is not stored. */
  readonly nullText: string
  readonly isMostlyNull: boolean
  /** `−24.1 … −19.8 … −12.4 °C`: 5 %, middle, 95 %. */
  readonly spreadText: string
  readonly bar: SpreadBar | undefined
}

/** Above this, models see imputed values more than measured ones (FEA-43). */
const mostlyNull = 0.5

function barOf(quantiles: readonly number[]): SpreadBar | undefined {
  const [lowest = 0, low = 0, boxStart = 0, median = 0, boxEnd = 0, high = 0, highest = 0] =
    quantiles
  const width = highest - lowest
  if (!(width > 0)) return undefined
  const share = (value: number) => (value - lowest) / width
  return {
    low: share(low),
    boxStart: share(boxStart),
    median: share(median),
    boxEnd: share(boxEnd),
    high: share(high),
  }
}

function rowOf(feature: Feature): CatalogueRow {
  const { quantiles, null_fraction: nulls, resolution, unit } = feature
  const number = (index: number) => numberText(quantiles?.[index] ?? null, resolution)
  return {
    name: feature.name,
    label: feature.label,
    group: feature.group,
    unit,
    formula: feature.formula,
    nullWhen: feature.null_when,
    models: feature.used_by
      .filter((user) => user.startsWith('model '))
      .map((user) => user.slice(6)),
    others: feature.used_by.filter((user) => !user.startsWith('model ')),
    nullText: nulls === null ? '' : `${numberText(100 * nulls, 0.1)} % null`,
    isMostlyNull: nulls !== null && nulls > mostlyNull,
    spreadText:
      quantiles === null ? '' : `${number(1)} … ${number(3)} … ${number(5)} ${unit}`.trimEnd(),
    bar: quantiles === null ? undefined : barOf(quantiles),
  }
}

/** Features that match the filters, in the order of the catalogue. */
export function catalogueRows(
  view: FeatureCatalogueView,
  { kind, search }: FeatureFilters,
): readonly CatalogueRow[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  return view.features
    .filter((feature) => kind === '' || feature.kind === kind)
    .filter((feature) => {
      const text = `${feature.name} ${feature.label} ${feature.group} ${feature.unit}`.toLowerCase()
      return words.every((word) => text.includes(word))
    })
    .map(rowOf)
}

/** What the catalogue holds and how new its picture is, in one sentence. */
export function catalogueSentence(view: FeatureCatalogueView, ago: string): string {
  const stored = view.features.filter(({ kind }) => kind === 'stored').length
  const more = view.features.length - stored
  const counts = `${countText(stored)} stored features, ${countText(more)} more on demand`
  const { newest } = view
  if (newest === null) return `${counts}. No window has been computed yet.`
  const rows = plural(newest.row_count, 'unit')
  return `${counts}. Newest window of ${newest.minutes} min: ${rows}, ended ${ago}.`
}
