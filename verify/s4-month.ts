import { randomInt } from 'node:crypto'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import type { DeviceAlertRow, FaultPlan } from 'isotherm/contracts'
import { liveMonth, type Month } from './fleet-month.ts'
import type { Promised } from './promise.ts'
import { percentile, temporaryFolder } from './system.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const startMs = Date.UTC(2026, 5, 1)

/** `--seed=7`, `--cabinets=100`, `--days=14`, for a closer look; the promise takes the defaults. */
function option(name: string, fallback: number): number {
  const given = process.argv.find((word) => word.startsWith(`--${name}=`))
  return given === undefined ? fallback : Number(given.split('=')[1])
}

/** Share of the cabinets that get a fault during the month. */
const faultShare = 0.3

/** Days after which the models are trained, then once a week. */
const trainingDays: readonly number[] = [10, 17, 24]

/** A door is open for two hours; evidence of it may lie in the hour that it ended in. */
const doorMs = 3 * hourMs

/** Windows of an hour and the run after it: what an alert saw may be this old. */
const evidenceMs = 2 * hourMs

function isUrgent({ severity }: DeviceAlertRow): boolean {
  return severity === 'HIGH' || severity === 'CRITICAL'
}

/** Alerts somebody acts on: urgent ones, and those of a rule, such as silence. */
function asksForAction(alert: DeviceAlertRow): boolean {
  return isUrgent(alert) || alert.anomaly_score === null
}

function isActiveAt(plan: FaultPlan | undefined, ms: number): boolean {
  if (plan === undefined || ms < plan.onsetMs) return false
  return plan.mode !== 'door_left_open' || ms - evidenceMs < plan.onsetMs + doorMs
}

type Judged = {
  readonly planOf: ReadonlyMap<string, FaultPlan>
  readonly alerts: readonly DeviceAlertRow[]
  readonly trainedMs: number
  readonly endMs: number
}

/** First alert of each failure before it, by which alerts count. */
function warnings(
  { planOf, alerts, trainedMs, endMs }: Judged,
  counts: (alert: DeviceAlertRow) => boolean,
) {
  const failures = [...planOf.values()].filter(
    ({ failureMs = 0 }) => failureMs > trainedMs && failureMs <= endMs,
  )
  return failures.map((plan) => {
    const { deviceId, onsetMs, failureMs = 0 } = plan
    const first = alerts.find(
      (alert) =>
        alert.device_id === deviceId &&
        alert.alert_created_at >= onsetMs &&
        alert.alert_created_at < failureMs &&
        counts(alert),
    )
    return {
      mode: plan.mode,
      leadHours: first === undefined ? undefined : (failureMs - first.alert_created_at) / hourMs,
    }
  })
}

function recallOf(warned: ReturnType<typeof warnings>): number {
  return warned.filter(({ leadHours }) => leadHours !== undefined).length / warned.length
}

const rounded = (value: number) => Math.round(value * 1000) / 1000

function leadTimes(warned: ReturnType<typeof warnings>) {
  const modes = [...Map.groupBy(warned, ({ mode }) => mode)].toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  )
  return Object.fromEntries(
    modes.map(([mode, own]) => {
      const leads = own.flatMap(({ leadHours }) => (leadHours === undefined ? [] : [leadHours]))
      const medianLeadHours = leads.length === 0 ? null : rounded(percentile(leads, 0.5))
      return [mode, { failures: own.length, warned: leads.length, medianLeadHours }]
    }),
  )
}

/** Urgent alerts by what was behind them. */
function urgentAlerts({ planOf, alerts, trainedMs }: Judged) {
  const urgent = alerts.filter((alert) => isUrgent(alert) && alert.alert_created_at >= trainedMs)
  const isFalse = ({ device_id, alert_created_at }: DeviceAlertRow) =>
    !isActiveAt(planOf.get(device_id), alert_created_at)
  const falseOnes = urgent.filter(isFalse)
  const isAfterFailure = ({ device_id, alert_created_at }: DeviceAlertRow) =>
    alert_created_at >= (planOf.get(device_id)?.failureMs ?? Number.POSITIVE_INFINITY)
  const afterFailure = urgent.filter((alert) => !isFalse(alert) && isAfterFailure(alert)).length
  return {
    count: urgent.length,
    false: falseOnes.length,
    falseDevices: new Set(falseOnes.map(({ device_id }) => device_id)).size,
    falseByModel: Object.fromEntries(
      [...Map.groupBy(falseOnes, ({ model_id }) => model_id)].map(([id, own]) => [id, own.length]),
    ),
    /** Of units that have failed and were not yet taken out of service: true, but no warning. */
    afterFailure,
    falseShare: rounded(falseOnes.length / Math.max(1, urgent.length)),
    falseShareBeforeFailure: rounded(falseOnes.length / Math.max(1, urgent.length - afterFailure)),
  }
}

/** How many of the 50 devices with the highest mean score of a day have a fault, per day. */
function topFifty({ planOf, trainedMs }: Judged, rankings: Month['rankings']) {
  const scored = [...rankings].filter(([dayStart]) => dayStart >= trainedMs)
  const days = scored.map(([dayStart, ranked]) => {
    const isFaulty = (id: string) => isActiveAt(planOf.get(id), dayStart + dayMs - 1)
    const hasFailed = (id: string) =>
      (planOf.get(id)?.failureMs ?? Number.POSITIVE_INFINITY) <= dayStart
    const running = ranked.filter((id) => !hasFailed(id))
    const found = running.slice(0, 50).filter(isFaulty).length
    const present = running.filter(isFaulty).length
    const all = ranked.slice(0, 50).filter(isFaulty).length
    return { all: all / 50, running: present === 0 ? 1 : found / Math.min(50, present) }
  })
  const mean = (values: readonly number[]) =>
    rounded(values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length))
  return {
    precision: mean(days.map(({ all }) => all)),
    /** Without units that had failed before: of the faults there were, the share among the 50. */
    developingFaultsFound: mean(days.map(({ running }) => running)),
  }
}

/** A month of a fleet with every failure mode, on seeds nobody tuned for. */
export const promised: Promised = {
  id: 'S4',
  title: 'a month of 500 cabinets: failures are announced, and urgent alerts are rarely false',
  unit: 'share of failures with an alert before',
  bar: 'recall >= 0.8, false HIGH and CRITICAL <= 20 %',
  quick: false,
  limitSeconds: 3000,
  run: async (report) => {
    const seed = option('seed', randomInt(1000, 1_000_000))
    const count = option('cabinets', 500)
    const endMs = startMs + option('days', 30) * dayMs
    const { simulator } = refrigeration
    if (simulator === undefined) throw new Error('refrigeration has no simulator')
    const devices = simulator.devices({ count, seed })
    const faults = simulator.planFaults({ devices, seed, startMs, endMs, share: faultShare })
    report(`seed ${seed}: ${count} cabinets, ${faults.length} faults`)
    const folder = temporaryFolder('s4')
    try {
      const month = await liveMonth({
        ...{ fleet: refrigeration, dataDirectory: folder.path, devices, faults, seed },
        ...{ startMs, endMs, report },
        trainAtMs: trainingDays.map((day) => startMs + day * dayMs),
      })
      const judged: Judged = {
        planOf: new Map(faults.map((plan) => [plan.deviceId, plan])),
        alerts: month.alerts,
        trainedMs: startMs + (trainingDays[0] ?? 0) * dayMs,
        endMs,
      }
      const warned = warnings(judged, asksForAction)
      const recall = recallOf(warned)
      const urgent = urgentAlerts(judged)
      return {
        ok: recall >= 0.8 && urgent.falseShareBeforeFailure <= 0.2,
        value: rounded(recall),
        detail: {
          seed,
          failures: warned.length,
          failuresBeforeTraining: faults.filter(
            ({ failureMs }) => failureMs !== undefined && failureMs <= judged.trainedMs,
          ).length,
          recallUrgentOnly: rounded(recallOf(warnings(judged, isUrgent))),
          urgent,
          modes: leadTimes(warned),
          topFifty: topFifty(judged, month.rankings),
          messages: month.messageCount,
          hourlyRunSeconds: rounded(month.hourlyRunSeconds),
          stageSeconds: month.stageSeconds,
        },
      }
    } finally {
      folder.remove()
    }
  },
}
