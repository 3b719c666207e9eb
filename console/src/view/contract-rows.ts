import type { ContractDetailView, ContractListView } from 'isotherm/http'

type Contract = ContractListView['contracts'][number]
type Column = ContractDetailView['columns'][number]

/** Minutes in the words people use: 5 min, 2 h, 3 days; a dash where nothing is promised. */
export function freshText(minutes: number | null): string {
  if (minutes === null) return '–'
  if (minutes < 120) return `${minutes} min`
  return minutes < 2880 ? `${minutes / 60} h` : `${minutes / 1440} days`
}

/** What a column may hold, in a few words. */
export function allowedText({ range, values, unit, nullable }: Column): string {
  const suffix = unit === null || unit === '' ? '' : ` ${unit}`
  const bounds = range === null ? suffix.trim() : `${range[0]} to ${range[1]}${suffix}`
  const listed = values === null ? bounds : values.join(', ')
  const nulls = nullable ? 'or null' : 'never null'
  return listed === '' ? nulls : `${listed}, ${nulls}`
}

/** One sentence over all contracts. */
export function contractsSentence(contracts: readonly Contract[]): string {
  const broken = contracts.filter(({ state }) => state === 'failed').length
  const behind = contracts.filter(({ state }) => state === 'warning').length
  const imported = contracts.filter(({ origin }) => origin === 'import').length
  const standing =
    broken > 0
      ? `${broken} broken.`
      : behind > 0
        ? `${behind} differ from the stored table.`
        : 'Every stored table follows its contract.'
  const own = contracts.length - imported
  return `${own} of this release${imported > 0 ? `, ${imported} imported` : ''}. ${standing}`
}
