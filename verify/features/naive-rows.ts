/** One stored row of a single feature, as the checks of model-input features make it. */
export type StoredRow = {
  readonly device: string
  readonly minutes: number
  readonly startMs: number
  readonly value: number | null
}

const dayMs = 86_400_000

/** Rows by device, duration and start. */
export type RowIndex = (device: string, minutes: number, startMs: number) => number | null

export function indexOf(rows: readonly StoredRow[]): RowIndex {
  const known = new Map(rows.map((row) => [`${row.device}|${row.minutes}|${row.startMs}`, row]))
  return (device, minutes, startMs) => known.get(`${device}|${minutes}|${startMs}`)?.value ?? null
}

const minus = (a: number | null, b: number | null) => (a === null || b === null ? null : a - b)
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  return Number.isInteger(half)
    ? ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2
    : (sorted[Math.floor(half)] ?? 0)
}

/** FEA-24 to FEA-26 for k windows of an hour. */
export function naiveLag(at: RowIndex, row: StoredRow, k: number) {
  const past = at(row.device, row.minutes, row.startMs - k * row.minutes * 60_000)
  const delta = minus(row.value, past)
  return { lag: past, delta, roc: delta === null ? null : delta / ((k * row.minutes) / 60) }
}

/** FEA-27: f − mean of f over windows in [t − 7 d, t), null for < 50 % of them. */
export function naiveDeviation(rows: readonly StoredRow[], row: StoredRow): number | null {
  const values = rows.flatMap(({ device, minutes, startMs, value }) =>
    device === row.device &&
    minutes === row.minutes &&
    startMs >= row.startMs - 7 * dayMs &&
    startMs < row.startMs &&
    value !== null
      ? [value]
      : [],
  )
  const windows = (7 * 1440) / row.minutes
  return values.length < 0.5 * windows ? null : minus(row.value, mean(values))
}

/** FEA-28 with the leave-one-out of FEA-35 for cohorts below 100. */
export function naiveCohort(
  rows: readonly StoredRow[],
  row: StoredRow,
  cohortOf: (device: string) => string,
): number | null {
  const cohort = rows.filter(
    ({ device, minutes, startMs, value }) =>
      minutes === row.minutes &&
      startMs === row.startMs &&
      value !== null &&
      cohortOf(device) === cohortOf(row.device),
  )
  if (row.value === null || cohort.length < 10) return null
  const peers = cohort.length < 100 ? cohort.filter(({ device }) => device !== row.device) : cohort
  return row.value - median(peers.map(({ value }) => value ?? 0))
}

/** FEA-31: mean over 1440-min windows ending in [t − 30 d, t], null for < 10. */
export function naiveMonth(rows: readonly StoredRow[], row: StoredRow): number | null {
  const values = rows.flatMap(({ device, minutes, startMs, value }) =>
    device === row.device &&
    minutes === 1440 &&
    startMs + dayMs >= row.startMs - 30 * dayMs &&
    startMs + dayMs <= row.startMs &&
    value !== null
      ? [value]
      : [],
  )
  return values.length < 10 ? null : mean(values)
}

/** FEA-30: day of the year of the window's end, counted on a calendar. */
export function naiveSeason(endMs: number): readonly [sin: number, cos: number] {
  const end = new Date(endMs)
  const lengths = [31, end.getUTCFullYear() % 4 === 0 ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30]
  const before = lengths.slice(0, end.getUTCMonth()).reduce((a, b) => a + b, 0)
  const angle = (2 * Math.PI * (before + end.getUTCDate())) / 365.25
  return [Math.sin(angle), Math.cos(angle)]
}
