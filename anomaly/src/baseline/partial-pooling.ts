import { normalQuantile } from '../statistics/normal-quantile.ts'
import { quantileInPlace, quantileOfSorted } from '../statistics/quantile.ts'
import type { GroupStatistics } from './group-statistics.ts'
import type { RobustBaseline } from './robust-baseline.ts'

/** Variance of a median over that of a mean, for normal values. */
const MEDIAN_VARIANCE = Math.PI / 2

/** What pooling reads. */
export type PoolingInput = {
  readonly baseline: RobustBaseline
  readonly members: CohortMembers
  readonly rowsPerIndependentRow: number
  readonly scalePriorRows: number
}

/** What pooling writes, column by column. */
export type PooledGroups = {
  readonly fleet: GroupStatistics
  readonly cohorts: GroupStatistics
  readonly devices: GroupStatistics
  readonly betweenDevices: Float64Array
  readonly betweenCohorts: Float64Array
  readonly deviceWeights: Float64Array
}

/** Devices in the order of their cohorts; those of no cohort come last, as one more cohort. */
export type CohortMembers = {
  readonly devices: Uint32Array
  /** Start of each cohort in `devices`; two more than there are cohorts. */
  readonly starts: Uint32Array
}

/** Sorts devices by cohort. Cost O(devices + cohorts). */
export function groupDevices(cohortOfDevice: Uint32Array, cohortCount: number): CohortMembers {
  const starts = new Uint32Array(cohortCount + 2)
  const place = (device: number) => Math.min(cohortOfDevice[device]!, cohortCount)
  for (let device = 0; device < cohortOfDevice.length; device++) {
    starts[place(device) + 1] = starts[place(device) + 1]! + 1
  }
  for (let cohort = 0; cohort <= cohortCount; cohort++) {
    starts[cohort + 1] = starts[cohort + 1]! + starts[cohort]!
  }
  const next = starts.slice()
  const devices = new Uint32Array(cohortOfDevice.length)
  for (let device = 0; device < devices.length; device++) {
    const at = next[place(device)]!
    devices[at] = device
    next[place(device)] = at + 1
  }
  return { devices, starts }
}

/** Shrinks one column; the formulas stand at `shrinkBaseline`. */
export function poolColumn(input: PoolingInput, column: number, pooled: PooledGroups): void {
  const { fleet, cohorts } = input.baseline
  const summary = summariseCohorts(input, column)
  const devicesApart = spreadOfDevices(input, column, summary)
  const cohortsApart = spreadOfCohorts(input, summary, devicesApart)
  pooled.betweenDevices[column] = Math.sqrt(devicesApart)
  pooled.betweenCohorts[column] = Math.sqrt(cohortsApart)
  pooled.fleet.centres[column] = fleet.centres[column]!
  pooled.fleet.scales[column] = Math.sqrt(summary.fleetSquare + devicesApart + cohortsApart)
  const columnCount = fleet.centres.length
  for (let cohort = 0; cohort < cohorts.groupCount; cohort++) {
    const at = cohort * columnCount + column
    const isKnown = summary.counts[cohort]! > 0
    const error = isKnown ? cohortError(input, summary, cohort, devicesApart) : 0
    const weight = isKnown ? ownShare(cohortsApart, error) : 0
    const own = weight > 0 ? weight * cohorts.centres[at]! : 0
    pooled.cohorts.centres[at] = own + (1 - weight) * fleet.centres[column]!
    const unknown = isKnown ? weight * error : cohortsApart
    pooled.cohorts.scales[at] = Math.sqrt(summary.squares[cohort]! + devicesApart + unknown)
  }
  for (let cohort = 0; cohort <= cohorts.groupCount; cohort++) {
    poolDevices(input, column, summary, devicesApart, cohort, pooled)
  }
}

/** Devices with values per cohort (the last for no cohort), their median centre and scale². */
type CohortSummary = {
  readonly counts: Uint32Array
  readonly middles: Float64Array
  /** Median scale of the cohort's devices, squared; the fleet's below two devices. */
  readonly squares: Float64Array
  readonly fleetSquare: number
}

function summariseCohorts({ baseline, members }: PoolingInput, column: number): CohortSummary {
  const { devices, fleet } = baseline
  const columnCount = fleet.centres.length
  const cohortCount = members.starts.length - 1
  const counts = new Uint32Array(cohortCount)
  const middles = new Float64Array(cohortCount).fill(Number.NaN)
  const squares = new Float64Array(cohortCount)
  const scratch = new Float64Array(members.devices.length)
  const median = (statistics: Float64Array, start: number, end: number) => {
    let count = 0
    for (let i = start; i < end; i++) {
      const value = statistics[members.devices[i]! * columnCount + column]!
      if (!Number.isNaN(value)) scratch[count++] = value
    }
    return { count, value: count > 0 ? quantileInPlace(scratch, 0, count, 0.5) : Number.NaN }
  }
  const all = median(devices.scales, 0, members.devices.length)
  const fleetScale = all.count > 0 ? all.value : fleet.scales[column]!
  for (let cohort = 0; cohort < cohortCount; cohort++) {
    const start = members.starts[cohort]!
    const end = members.starts[cohort + 1]!
    const middle = median(devices.centres, start, end)
    counts[cohort] = middle.count
    middles[cohort] = middle.value
    const typical = middle.count > 1 ? median(devices.scales, start, end).value : fleetScale
    squares[cohort] = typical * typical
  }
  return { counts, middles, squares, fleetSquare: fleetScale * fleetScale }
}

/** Variance of true device centres within their cohorts; lone devices tell nothing about it. */
function spreadOfDevices(input: PoolingInput, column: number, summary: CohortSummary): number {
  const { baseline, members } = input
  const columnCount = baseline.fleet.centres.length
  const deviations: number[] = []
  const errors: number[] = []
  for (let cohort = 0; cohort < summary.counts.length; cohort++) {
    if (summary.counts[cohort]! < 2) continue
    for (let i = members.starts[cohort]!; i < members.starts[cohort + 1]!; i++) {
      const device = members.devices[i]!
      const centre = baseline.devices.centres[device * columnCount + column]!
      if (Number.isNaN(centre)) continue
      deviations.push(Math.abs(centre - summary.middles[cohort]!))
      errors.push(deviceError(input, column, summary, cohort, device))
    }
  }
  return excessVariance(deviations, errors)
}

/** Variance of true cohort centres within the fleet. */
function spreadOfCohorts(
  input: PoolingInput,
  summary: CohortSummary,
  devicesApart: number,
): number {
  const known: number[] = []
  for (let cohort = 0; cohort < summary.counts.length - 1; cohort++) {
    if (summary.counts[cohort]! > 0) known.push(cohort)
  }
  const middle = medianOf(known.map((cohort) => summary.middles[cohort]!))
  return excessVariance(
    known.map((cohort) => Math.abs(summary.middles[cohort]! - middle)),
    known.map((cohort) => cohortError(input, summary, cohort, devicesApart)),
  )
}

function poolDevices(
  input: PoolingInput,
  column: number,
  summary: CohortSummary,
  devicesApart: number,
  cohort: number,
  pooled: PooledGroups,
): void {
  const { devices } = input.baseline
  const columnCount = input.baseline.fleet.centres.length
  const parent = cohort < pooled.cohorts.groupCount ? pooled.cohorts : pooled.fleet
  const parentAt = (parent === pooled.fleet ? 0 : cohort * columnCount) + column
  const parentCentre = parent.centres[parentAt]!
  for (let i = input.members.starts[cohort]!; i < input.members.starts[cohort + 1]!; i++) {
    const device = input.members.devices[i]!
    const at = device * columnCount + column
    if (Number.isNaN(devices.centres[at]!)) {
      pooled.devices.centres[at] = parentCentre
      pooled.devices.scales[at] = parent.scales[parentAt]!
      continue
    }
    const error = deviceError(input, column, summary, cohort, device)
    const weight = ownShare(devicesApart, error)
    const square = deviceSquare(input, column, summary, cohort, device)
    pooled.deviceWeights[at] = weight
    pooled.devices.centres[at] = weight * devices.centres[at]! + (1 - weight) * parentCentre
    pooled.devices.scales[at] = Math.sqrt(square + weight * error)
  }
}

/** Squared scale of a device, blended with its cohort's typical one. */
function deviceSquare(
  { baseline, scalePriorRows }: PoolingInput,
  column: number,
  summary: CohortSummary,
  cohort: number,
  device: number,
): number {
  const { scales, rowCounts } = baseline.devices
  const scale = scales[device * baseline.fleet.centres.length + column]!
  const rows = rowCounts[device]!
  const prior = scalePriorRows * summary.squares[cohort]!
  return (prior + rows * scale * scale) / (scalePriorRows + rows)
}

/** Variance of a device's median around its true centre. */
function deviceError(
  input: PoolingInput,
  column: number,
  summary: CohortSummary,
  cohort: number,
  device: number,
): number {
  const rows = input.baseline.devices.rowCounts[device]! / input.rowsPerIndependentRow
  return (MEDIAN_VARIANCE * deviceSquare(input, column, summary, cohort, device)) / rows
}

/** Variance of a cohort's median around its true centre: few devices, few rows. */
function cohortError(
  input: PoolingInput,
  summary: CohortSummary,
  cohort: number,
  devicesApart: number,
): number {
  const rows = input.baseline.cohorts.rowCounts[cohort]! / input.rowsPerIndependentRow
  const ofDevices = devicesApart / summary.counts[cohort]!
  return MEDIAN_VARIANCE * (ofDevices + summary.squares[cohort]! / rows)
}

/** τ² / (τ² + v); nothing of its own where both are 0. */
function ownShare(apart: number, error: number): number {
  return apart > 0 ? apart / (apart + error) : 0
}

/**
 * What the squared robust scale of deviations exceeds the typical error by, not below 0: the larger
 * of the scales that their median and their 75 % quantile imply for normal values, so that a
 * quarter at another level keeps it; where both find nothing, that of the 90 % quantile. A tenth of
 * faulty devices does not move it.
 */
function excessVariance(deviations: readonly number[], errors: readonly number[]): number {
  if (deviations.length < 2) return 0
  const sorted = Float64Array.from(deviations).sort()
  const scaleAt = (probability: number) =>
    quantileOfSorted(sorted, probability) / normalQuantile((1 + probability) / 2)
  const error = medianOf(errors)
  const middle = Math.max(scaleAt(0.5), scaleAt(0.75)) ** 2 - error
  return middle > 0 ? middle : Math.max(0, scaleAt(0.9) ** 2 - error)
}

function medianOf(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN
  return quantileInPlace(Float64Array.from(values), 0, values.length, 0.5)
}
