import { statfsSync } from 'node:fs'
import { describeLog, type GroupPosition, type PartitionDescription } from '../log/index.ts'

/** A consumer this far behind is late, ING-22; longer commit intervals allow more. */
const leastLateSeconds = 300
/** Samples in a row before a group counts as late, ING-22. */
const lateSampleCount = 3
/** Share of the disk in use that is told, and above which the log refuses data, ING-18. */
const warnDiskShare = 0.8
const fullDiskShare = 0.95

/** One thing about the log that a person should know. */
export type LogFinding = {
  readonly name: 'log consumers' | 'disk'
  readonly state: 'ok' | 'late' | 'failed'
  readonly detail: string
}

/** Watches how far consumers are behind and how full the disk is. */
export type LogWatch = {
  /** Looks once; called every minute. */
  readonly sample: () => void
  /** Positions at the newest sample. */
  readonly groups: () => readonly GroupPosition[]
  /** Partitions at the newest sample. */
  readonly partitions: () => readonly PartitionDescription[]
  readonly diskUsedShare: () => number
  readonly findings: () => readonly LogFinding[]
}

/**
 * Watches the log in a folder.
 * @param commitSeconds how long a consumer may take between commits in normal operation
 */
export function watchLog(
  directory: string,
  options: { readonly clock: () => number; readonly commitSeconds: number },
): LogWatch {
  const lateSeconds = Math.max(leastLateSeconds, 1.5 * options.commitSeconds)
  const lateSamples = new Map<string, number>()
  let groups: readonly GroupPosition[] = []
  let partitions: readonly PartitionDescription[] = []
  let diskShare = 0

  const consumers = (): LogFinding => {
    const late = groups.filter((group) => (lateSamples.get(keyOf(group)) ?? 0) >= lateSampleCount)
    const detail = late.map(
      ({ group, lagRecords, lagSeconds }) =>
        `${group} is ${Math.round(lagSeconds / 60)} min and ${lagRecords} records behind`,
    )
    return late.length === 0
      ? { name: 'log consumers', state: 'ok', detail: `${groups.length} groups up to date` }
      : { name: 'log consumers', state: 'late', detail: detail.join('; ') }
  }
  const disk = (): LogFinding => {
    const used = `${Math.round(diskShare * 100)} % of the disk is in use`
    if (diskShare > fullDiskShare) {
      const detail = `${used}: new data is refused, devices keep it; free space`
      return { name: 'disk', state: 'failed', detail }
    }
    if (diskShare <= warnDiskShare) return { name: 'disk', state: 'ok', detail: used }
    const detail = `${used}; from ${fullDiskShare * 100} % on new data is refused: free space`
    return { name: 'disk', state: 'late', detail }
  }
  return {
    sample: () => {
      const description = describeLog(directory, options.clock())
      groups = description.groups
      partitions = description.partitions
      for (const group of groups) {
        const isLate = group.lagSeconds > lateSeconds
        lateSamples.set(keyOf(group), isLate ? (lateSamples.get(keyOf(group)) ?? 0) + 1 : 0)
      }
      const { blocks, bfree, bavail } = statfsSync(directory)
      diskShare = (blocks - bfree) / (blocks - bfree + bavail)
    },
    groups: () => groups,
    partitions: () => partitions,
    diskUsedShare: () => diskShare,
    findings: () => [consumers(), disk()],
  }
}

function keyOf({ group, partition }: GroupPosition): string {
  return `${group} ${partition}`
}
