import { featureColumns, quoteName } from '../contracts/index.ts'
import { completeUntilMs, windowRules } from '../features/index.ts'
import type { JobContext, Lake } from '../lake/index.ts'
import type { OnlineFeatures } from './online.ts'
import { utcDate } from './retention.ts'

/** Severities of operational alarms, MON-2. */
export type AlarmSeverity = 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'

/** One look at one metric; without a severity it is as it should be. */
export type FeatureFinding = {
  readonly metric: 'freshness' | 'coverage' | 'null_fraction' | 'online_lag' | 'skew'
  /** Duration, feature or table concerned. */
  readonly subject: string
  readonly severity: AlarmSeverity | null
  /** Never a technician: these are faults of the system, FEA-62. */
  readonly owner: 'pipeline' | 'data-engineering'
  readonly value: number
  /** The bound that was crossed, or the first one when none was. */
  readonly threshold: number
  readonly detail: string
}

/** What the findings are measured against. */
export type FindingsInput = {
  /** Devices in service that were heard in the last 7 days, FEA-14. */
  readonly activeDeviceCount: number
  readonly online?: OnlineFeatures
}

const minuteMs = 60_000

type Step = { readonly above: number; readonly severity: AlarmSeverity }

/** Age of the newest window in minutes, MON-3: above 2 h detection is blind and scoring pauses. */
const ageSteps: readonly Step[] = [
  { above: 45, severity: 'LOW' },
  { above: 60, severity: 'MEDIUM' },
  { above: 120, severity: 'CRITICAL' },
]

/** Minutes since the online view was read, FEA-62. */
const lagSteps: readonly Step[] = [
  { above: 60, severity: 'LOW' },
  { above: 90, severity: 'MEDIUM' },
]

/** Missing share of active devices, FEA-14 and MON-5. */
const missingSteps: readonly Step[] = [
  { above: 0.01, severity: 'MEDIUM' },
  { above: 0.05, severity: 'HIGH' },
]

/** Rise of a null fraction over the training baseline, FEA-67. */
const nullSteps: readonly Step[] = [{ above: 0.05, severity: 'MEDIUM' }]

function judged(value: number, steps: readonly Step[]) {
  const crossed = steps.findLast(({ above }) => value > above)
  return {
    value,
    severity: crossed?.severity ?? null,
    threshold: crossed?.above ?? steps[0]?.above ?? 0,
  }
}

type Window = { readonly minutes: number; readonly startMs: number; readonly endMs: number }

/** Rows and non-null values per feature of one window. */
async function countsOfWindow(
  lake: Lake,
  window: Window,
  names: readonly string[],
): Promise<readonly number[]> {
  const table = lake.table('device_features')
  const snapshot = await table.snapshot()
  const files = snapshot.files.filter(
    ({ partitionValues }) =>
      partitionValues.window_duration_minutes === String(window.minutes) &&
      partitionValues.window_date === utcDate(window.startMs),
  )
  if (files.length === 0) return [0, ...names.map(() => 0)]
  const read = await lake.withConnection((connection) =>
    connection.runAndReadAll(`SELECT count(*)::DOUBLE,
        ${names.map((name) => `count(${quoteName(name)})::DOUBLE`).join(', ')}
      FROM ${table.relation(snapshot, files)}
      WHERE window_duration_minutes = ${window.minutes}
        AND window_start = make_timestamptz(${window.startMs * 1000})`),
  )
  return (read.getRowsJS()[0] ?? []).map(Number)
}

/** Null fraction of each feature in the newest training of a duration; empty before the first. */
async function baselineNulls(lake: Lake, minutes: number): Promise<ReadonlyMap<string, number>> {
  const table = lake.table('feature_baselines')
  const snapshot = await table.snapshot()
  if (snapshot.files.length === 0) return new Map()
  const read = await lake.withConnection((connection) =>
    connection.runAndReadAll(`SELECT feature_name, arg_max(null_fraction, computed_at)::DOUBLE
      FROM ${table.relation(snapshot)} WHERE granularity = 'fleet'
        AND window_duration_minutes = ${minutes} AND null_fraction IS NOT NULL
      GROUP BY feature_name`),
  )
  return new Map(read.getRowsJS().map(([name, share]) => [String(name), Number(share)]))
}

async function windowFindings(
  lake: Lake,
  window: Window,
  { activeDeviceCount }: FindingsInput,
): Promise<readonly FeatureFinding[]> {
  const names = featureColumns(lake.fleet).map(({ name }) => name)
  const [rowCount = 0, ...present] = await countsOfWindow(lake, window, names)
  const subject = `${window.minutes} min`
  const missing = activeDeviceCount === 0 ? 0 : Math.max(0, 1 - rowCount / activeDeviceCount)
  const coverage: FeatureFinding = {
    metric: 'coverage',
    subject,
    owner: 'pipeline',
    ...judged(missing, missingSteps),
    detail: `${rowCount} of ${activeDeviceCount} active devices have a row in the newest window`,
  }
  if (rowCount === 0) return [coverage]
  const baseline = await baselineNulls(lake, window.minutes)
  const nulls = names.flatMap((name, index): readonly FeatureFinding[] => {
    const usual = baseline.get(name)
    if (usual === undefined) return []
    const now = 1 - (present[index] ?? 0) / rowCount
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`
    return [
      {
        metric: 'null_fraction',
        subject: `${name}, ${subject}`,
        owner: 'data-engineering',
        ...judged(now - usual, nullSteps),
        detail: `${percent(now)} null, ${percent(usual)} in training`,
      },
    ]
  })
  return [coverage, ...nulls]
}

/**
 * Looks at the features of a lake: how old the newest windows are, how many active devices they
 * hold, which features are null more often than in training, how far the online view lags.
 */
export async function featureFindings(
  { lake, nowMs }: JobContext,
  input: FindingsInput,
): Promise<readonly FeatureFinding[]> {
  const findings: FeatureFinding[] = []
  for (const { minutes, lengthMs, emissionDelayMs } of windowRules(lake.fleet)) {
    const endMs = await completeUntilMs(lake, minutes)
    if (endMs === undefined) continue
    // A longer window is as old as it is long before the next one can end.
    const waitMs = Math.max(0, lengthMs - 15 * minuteMs) + Math.max(0, emissionDelayMs - minuteMs)
    const ageMinutes = Math.max(0, nowMs - endMs - waitMs) / minuteMs
    findings.push({
      metric: 'freshness',
      subject: `${minutes} min`,
      owner: 'pipeline',
      ...judged(ageMinutes, ageSteps),
      detail: `the newest window ended ${new Date(endMs).toISOString()}`,
    })
    findings.push(
      ...(await windowFindings(lake, { minutes, startMs: endMs - lengthMs, endMs }, input)),
    )
  }
  const served = input.online?.served()
  if (served !== undefined) {
    findings.push({
      metric: 'online_lag',
      subject: 'online features',
      owner: 'pipeline',
      ...judged((nowMs - served.atMs) / minuteMs, lagSteps),
      detail: `device_features@v${served.version}, read ${new Date(served.atMs).toISOString()}`,
    })
  }
  return findings
}
