import { timeSpan } from '../clean/index.ts'
import {
  type AlarmBook,
  backfillHistory,
  cleanRetentionDays,
  type FeatureFinding,
  featureFindings,
  nextAlarms,
  type OnlineFeatures,
  type OpenAlarm,
  openOnlineFeatures,
  proveOnline,
  readAlarmBook,
  type SkewVerdict,
  storeAlarms,
  storeVerdict,
} from '../feature-store/index.ts'
import type { Deployment } from './deployment.ts'

/** What is known of the features now. */
export type FeatureHealth = {
  readonly findings: readonly FeatureFinding[]
  readonly alarms: readonly OpenAlarm[]
  readonly verdict: SkewVerdict | undefined
}

/** Keeps what is served in step with the table, and looks after it. */
export type FeatureCare = {
  readonly online: OnlineFeatures
  /** After a pipeline run: takes over new rows, looks at freshness, coverage and nulls. */
  readonly look: () => Promise<FeatureHealth>
  /** Fills the history of the newest days and proves that served rows can be computed again. */
  readonly nightly: () => Promise<SkewVerdict>
  readonly health: () => FeatureHealth
}

const dayMs = 86_400_000

/** Without new rows there is nothing to see but the time going by. */
const quietMs = 60_000

/** Days back in which readings may still have arrived: a trusted buffer holds a week, ING-43. */
const openDays = 8

/** Devices in service that were heard in the last week, FEA-14. */
function activeDeviceCount({ state, clock }: Deployment): number {
  const sinceMs = clock() - 7 * dayMs
  return state.registry.devices().filter(({ status, device_id }) => {
    const heardMs = state.live.lastReadingMs(device_id)
    return status === 'active' && heardMs !== undefined && heardMs >= sinceMs
  }).length
}

async function fillHistory({ lake, state, clock }: Deployment): Promise<void> {
  const nowMs = clock()
  const { files } = await lake.table('clean_sensor_readings').snapshot()
  const spans = files.map((file) => timeSpan(file, 'timestamp_utc'))
  const oldestMs = spans.reduce((oldest, { minMs }) => Math.min(oldest, minMs), nowMs)
  const newestMs = spans.reduce((newest, { maxMs }) => Math.max(newest, maxMs), 0)
  const floor = (ms: number) => Math.floor(ms / dayMs) * dayMs
  const toMs = floor(nowMs)
  const edgeMs = floor(Math.min(nowMs, newestMs)) - cleanRetentionDays * dayMs
  const fromMs = Math.max(toMs - openDays * dayMs, floor(oldestMs), edgeMs)
  if (spans.length === 0 || fromMs >= toMs) return
  await backfillHistory({ lake, nowMs }, { fromMs, toMs, devices: state.registry.devices() })
}

/** A verdict as a finding: one served row that is false is one too many. */
function skewFinding(verdict: SkewVerdict): FeatureFinding {
  const { checkedCount, differingCount } = verdict
  return {
    metric: 'skew',
    subject: 'online features',
    owner: 'data-engineering',
    severity: differingCount === 0 ? null : 'HIGH',
    value: differingCount,
    threshold: 0,
    detail: `${differingCount} of ${checkedCount} served rows are not what their readings give`,
  }
}

/** Opens the care of a deployment's features; alarms left open by an earlier run stay open. */
export async function openFeatureCare(deployment: Deployment): Promise<FeatureCare> {
  const { lake, state, clock } = deployment
  const online = openOnlineFeatures(lake)
  let book: AlarmBook = await readAlarmBook(lake)
  let findings: readonly FeatureFinding[] = []
  let verdict: SkewVerdict | undefined
  const health = (): FeatureHealth => ({ findings, alarms: [...book.values()], verdict })

  const judge = async (found: readonly FeatureFinding[]): Promise<void> => {
    const next = nextAlarms(book, found, clock())
    await storeAlarms(lake, next.events, clock())
    book = next.book
  }
  return {
    online,
    look: async () => {
      const { version } = await lake.table('device_features').snapshot()
      const last = online.served()
      if (last?.version === version && clock() - last.atMs < quietMs) return health()
      await online.refresh(clock())
      findings = await featureFindings(
        { lake, nowMs: clock() },
        { activeDeviceCount: activeDeviceCount(deployment), online },
      )
      await judge(findings)
      return health()
    },
    nightly: async () => {
      await fillHistory(deployment)
      await online.refresh(clock())
      const nowMs = clock()
      const devices = state.registry.devices()
      verdict = await proveOnline({ lake, nowMs }, online, { devices, seed: nowMs })
      await storeVerdict(lake, verdict)
      await judge([skewFinding(verdict)])
      return verdict
    },
    health,
  }
}
