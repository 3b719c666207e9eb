import type { Severity } from '../contracts/index.ts'
import type { ActiveSummary } from './alert-store.ts'
import { type AnomalyTrend, trendOf } from './anomaly-trend.ts'
import { openDeviceChunks } from './device-chunks.ts'
import {
  type HealthStatus,
  healthStatus,
  isOffline,
  type ScoreState,
  scoreState,
} from './device-health.ts'
import { hydrateEntry, type LatestScore, type LiveEntry, type LiveUpdate } from './live-entry.ts'
import type { Registry } from './registry.ts'
import type { StateDatabase } from './state-database.ts'

/** A device as lists and pages show it, the pipeline's part of OBJ-4. */
export type LiveDevice = {
  readonly deviceId: string
  readonly lastReadingMs: number | undefined
  /** Newest score of the primary family; undefined once expired, SRV-35. */
  readonly latestScore: number | undefined
  readonly latestScoredAtMs: number | undefined
  readonly scoreState: ScoreState
  readonly scoreConfidence: 'normal' | 'low' | undefined
  readonly anomalyTrend: AnomalyTrend | undefined
  readonly healthStatus: HealthStatus
  readonly openAlertCount: number
  readonly highestSeverity: Severity | undefined
  /** Newest score of every family. */
  readonly scores: readonly LatestScore[]
  readonly metrics: Readonly<Record<string, number | null>>
  readonly hydratedAtMs: number | undefined
}

/** Live state of all devices, answered from memory. */
export type LiveState = {
  /** Undefined for a device the registry does not know. */
  readonly device: (deviceId: string) => LiveDevice | undefined
  /** Every registered device; 100,000 take about a tenth of a second. */
  readonly devices: () => readonly LiveDevice[]
  readonly lastReadingMs: (deviceId: string) => number | undefined
  /**
   * Takes over newer reading times; older ones are ignored. Memory only: `flushReadings` writes.
   */
  readonly setLastReadings: (readings: ReadonlyMap<string, number>) => void
  readonly flushReadings: () => Promise<void>
  /**
   * Takes over the results of a run. Readers see all of it at once; the disk follows before the
   * promise resolves, and a crash in between is repaired by the next run.
   */
  readonly hydrate: (options: {
    readonly hydratedAtMs: number
    /** Family whose fleet score over the default window is `latestScore`. */
    readonly primaryModelId: string
    readonly updates: Iterable<LiveUpdate>
  }) => Promise<void>
}

/** Name of the setting that remembers the primary family between runs. */
const primarySetting = 'live.primary_model_id'

/** Opens the live state over its table. */
export async function openLiveState(options: {
  readonly database: StateDatabase
  readonly registry: Registry
  readonly clock: () => number
  readonly alerts: (deviceId: string) => ActiveSummary
  readonly settings: {
    readonly get: (name: string) => Promise<unknown>
    readonly set: (name: string, value: unknown) => Promise<void>
  }
}): Promise<LiveState> {
  const { database, registry, clock, settings } = options
  const entries = await openDeviceChunks<LiveEntry>(database, 'scores')
  const heard = await openDeviceChunks<number>(database, 'heard')
  let primaryModelId = String((await settings.get(primarySetting)) ?? '')

  const view = (deviceId: string, reportingIntervalS: number, nowMs: number): LiveDevice => {
    const entry = entries.get(deviceId)
    const lastReadingMs = heard.get(deviceId)
    const primary = entry?.scores.find(({ modelId }) => modelId === primaryModelId)
    const state = scoreState(primary?.scoredAtMs, nowMs)
    const usable = state === 'expired' ? undefined : primary
    const { count, highest } = options.alerts(deviceId)
    return {
      deviceId,
      lastReadingMs,
      latestScore: usable?.score,
      latestScoredAtMs: primary?.scoredAtMs,
      scoreState: state,
      scoreConfidence: usable?.confidence,
      anomalyTrend: usable === undefined ? undefined : trendOf(entry?.trail),
      healthStatus: healthStatus({
        offline: isOffline(lastReadingMs, reportingIntervalS, nowMs),
        highestSeverity: highest,
        score: usable?.score,
      }),
      openAlertCount: count,
      highestSeverity: highest,
      scores: entry?.scores ?? [],
      metrics: entry?.metrics ?? {},
      hydratedAtMs: entry?.hydratedAtMs,
    }
  }
  return {
    device: (deviceId) => {
      const row = registry.device(deviceId)
      return row && view(deviceId, row.reporting_interval_s, clock())
    },
    devices: () => {
      const nowMs = clock()
      return registry.devices().map((row) => view(row.device_id, row.reporting_interval_s, nowMs))
    },
    lastReadingMs: heard.get,
    setLastReadings: (readings) => {
      for (const [deviceId, timeMs] of readings) {
        const known = heard.get(deviceId)
        if (known === undefined || known < timeMs) heard.set(deviceId, timeMs)
      }
    },
    flushReadings: async () => {
      await heard.flush()
    },
    hydrate: async (run) => {
      if (run.primaryModelId !== primaryModelId) {
        await settings.set(primarySetting, run.primaryModelId)
        primaryModelId = run.primaryModelId
      }
      for (const update of run.updates) {
        const { deviceId } = update
        entries.set(
          deviceId,
          hydrateEntry(entries.get(deviceId), update, primaryModelId, run.hydratedAtMs),
        )
      }
      await entries.flush()
    },
  }
}
