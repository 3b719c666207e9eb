import { IsothermError } from '../contracts/index.ts'
import {
  allExpectations,
  type DistributionShift,
  type Dropout,
  distributionJob,
  distributionResults,
  dropoutJob,
  type FaultySensor,
  faultySensors,
  type GateActor,
  type GateChange,
  type GateDecision,
  type GateEntry,
  type QualityReport,
  type SensorList,
  sensorJob,
} from '../quality/index.ts'
import type { Deployment } from './deployment.ts'
import { changeGate, cleanStage, judgedTables, judgeTables } from './quality-gates.ts'
import { deploymentReport } from './quality-report.ts'

/** The quality of a deployment's data: what gates found, what people decide, and reports. */
export type Quality = {
  readonly entries: (filter?: {
    readonly status?: GateEntry['status']
  }) => Promise<readonly GateEntry[]>
  /** @throws IsothermError NOT_FOUND */
  readonly entry: (entryId: string) => Promise<GateEntry>
  /**
   * Decides about an entry; rows that wait are moved by the next run of the pipeline.
   * @throws IsothermError NOT_FOUND, CONFLICT when it is closed already
   */
  readonly decide: (
    entryId: string,
    decision: GateDecision,
    by: GateActor,
    note: string,
  ) => Promise<GateEntry>
  /** Changes an expectation; an empty change puts it back. @throws IsothermError NOT_FOUND */
  readonly change: (gateId: string, change: GateChange, by: GateActor) => Promise<void>
  readonly report: (options: { readonly days?: number }) => Promise<QualityReport>
  /** Sensors found weak or dead when they were last graded; at most so many. */
  readonly sensors: (limit: number) => Promise<SensorList>
  /** Grades the sensors over the hours before now; default 48. */
  readonly grade: (hours?: number) => Promise<readonly FaultySensor[]>
  /**
   * Compares what arrived in the last whole hour or day with the weeks before, ING-53; shifts of the
   * fleet or of a firmware become entries that hold nothing.
   */
  readonly distribution: (granularity: 'hour' | 'day') => Promise<readonly DistributionShift[]>
  /** How devices reported in the last whole hour, CON-42; those that dropped out. */
  readonly dropouts: () => Promise<readonly Dropout[]>
  /** Judges what is new, as the service does after each run. */
  readonly check: () => Promise<void>
}

/**
 * Opens the quality of a deployment.
 * @param act starts a run of the pipeline that carries out a decision; default: the clean stage
 *   alone, at once
 */
export function openQuality(deployment: Deployment, act?: () => void): Quality {
  const { lake, state, clock } = deployment
  const carryOut = async () => {
    if (act !== undefined) {
      act()
      return
    }
    const { registry } = state
    const pinned = { devices: registry.devices(), registryVersion: registry.version() }
    await cleanStage(deployment, { lake, nowMs: clock() }, pinned)
  }
  return {
    entries: (filter = {}) => state.gates.list(filter),
    entry: (entryId) => state.gates.entry(entryId),
    decide: async (entryId, decision, by, note) => {
      const entry = await state.gates.decide(entryId, decision, by, note)
      if (entry.decision === undefined) return entry
      await carryOut()
      return state.gates.entry(entryId)
    },
    change: async (gateId, change, by) => {
      if (!allExpectations.some(({ id }) => id === gateId)) {
        throw new IsothermError(
          'NOT_FOUND',
          `there is no expectation ${gateId}; they are ${allExpectations.map(({ id }) => id).join(', ')}`,
        )
      }
      await changeGate(deployment, gateId, change, by)
    },
    report: (options) => deploymentReport(deployment, options),
    sensors: (limit) => faultySensors(lake, limit),
    grade: (hours) =>
      sensorJob(
        { lake, nowMs: clock() },
        {
          devices: state.registry.devices(),
          untilMs: clock(),
          ...(hours !== undefined && { hours }),
        },
      ),
    distribution: async (granularity) => {
      const devices = state.registry.devices()
      const untilMs = clock()
      const input = { devices, granularity, untilMs }
      const shifts = await distributionJob({ lake, nowMs: untilMs }, input)
      await state.gates.record(distributionResults(shifts, devices))
      return shifts
    },
    dropouts: async () => {
      const nowMs = clock()
      const input = { devices: state.registry.devices(), untilMs: nowMs }
      const { dropouts, results } = await dropoutJob({ lake, nowMs }, input)
      await state.gates.record(results)
      return dropouts
    },
    check: () => judgeTables(deployment, judgedTables),
  }
}
