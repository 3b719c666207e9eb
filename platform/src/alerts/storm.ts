const minCriticalCount = 100
const criticalFleetShare = 0.01
const flaggedShare = 0.15

/** Why notifications should be grouped and automatic orders wait, SRV-44. */
export type Storm = 'none' | 'critical_rate' | 'flagged_share'

/** Storm mode, SRV-44: too many CRITICAL alerts within five minutes, or a run that flags too much. */
export function detectStorm(counts: {
  readonly fleetSize: number
  /** CRITICAL alerts created in the last five minutes. */
  readonly recentCriticalCount: number
  readonly flaggedDeviceCount: number
  readonly scoredDeviceCount: number
}): Storm {
  const limit = Math.max(minCriticalCount, criticalFleetShare * counts.fleetSize)
  if (counts.recentCriticalCount > limit) return 'critical_rate'
  return counts.flaggedDeviceCount > flaggedShare * counts.scoredDeviceCount
    ? 'flagged_share'
    : 'none'
}
