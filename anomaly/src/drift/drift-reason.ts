/** The figures a sentence about one column needs. */
type ColumnFigures = {
  readonly statistic: number
  readonly psi: number
  readonly median: { readonly before: number; readonly now: number }
  readonly effectiveCount: { readonly before: number; readonly now: number }
}

/** What a column was judged by. */
type Limits = { readonly effectFloor: number; readonly level: number; readonly minCount: number }

/** Why a column was judged so, in one sentence. */
export function reasonOfColumn(
  { statistic, psi, median, effectiveCount }: ColumnFigures,
  verdict: 'stable' | 'drifted' | 'insufficient',
  adjustedPValue: number,
  { effectFloor, level, minCount }: Limits,
): string {
  if (verdict === 'insufficient') {
    const { before, now } = effectiveCount
    return `${short(before)} and ${short(now)} independent values, ${minCount} needed on both sides`
  }
  const gap = `gap ${short(statistic)}`
  const chance = `adjusted p ${short(adjustedPValue)}`
  if (verdict === 'drifted') {
    const move = `median ${short(median.before)} → ${short(median.now)}, PSI ${short(psi)}`
    return `${gap} > ${effectFloor} and ${chance} < ${level}; ${move}`
  }
  if (!(statistic > effectFloor)) return `${gap} ≤ ${effectFloor}, too small to matter`
  return `${gap} > ${effectFloor}, but ${chance} ≥ ${level}: chance alone can do that`
}

/** What happened to missing cells. */
export function missingReason(before: number, now: number): string {
  return `missing cells ${percent(before)} → ${percent(now)}`
}

/** Why a table was judged so, in one sentence. */
export function reasonOfReport(
  verdict: 'stable' | 'drifted' | 'systemic' | 'insufficient',
  driftedColumns: readonly string[],
  tested: number,
  columnCount: number,
  systemicShare: number,
): string {
  const untested = columnCount === tested ? '' : `; ${columnCount - tested} with too few values`
  const drifted = `${driftedColumns.length} of ${tested} columns drifted`
  switch (verdict) {
    case 'insufficient':
      return `none of ${columnCount} columns has enough independent values`
    case 'stable':
      return `none of ${tested} columns drifted${untested}`
    case 'drifted':
      return `${drifted}, first ${driftedColumns.slice(0, 3).join(', ')}${untested}`
    case 'systemic':
      return `${drifted}, more than ${percent(systemicShare)}: suspect the data before the world${untested}`
    default:
      return unreachable(verdict)
  }
}

function unreachable(verdict: never): never {
  throw new TypeError(`verdict ${String(verdict)} is not known`)
}

/** Three significant digits. */
function short(value: number): string {
  return Number(value.toPrecision(3)).toString()
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`
}
