import type { DeploymentRow } from '../models/index.ts'

/** Windows of one duration that some deployed versions have yet to score. */
export type ScoringUnit = {
  readonly durationMinutes: number
  /** Windows end after this instant … */
  readonly afterMs: number
  /** … and not after this one: the target window (SRV-4). */
  readonly untilMs: number
  readonly deployments: readonly DeploymentRow[]
}

/** Position of a deployed version in the commits of `model_scores`. */
export function positionName(row: DeploymentRow): string {
  return `${familyPrefix(row)}${row.deployment_role}/${row.model_version}`
}

function familyPrefix({ model_id, window_duration_minutes }: DeploymentRow): string {
  return `scores/${model_id}/${window_duration_minutes}/`
}

/**
 * Where a version goes on: after its own last window; a champion also after the windows an earlier
 * champion scored, since scored history is never scored again (SRV-4). A version that never ran
 * starts where its family stands; a family that never ran starts `backfillMs` before the target.
 */
export function startAfterMs(
  row: DeploymentRow,
  positions: ReadonlyMap<string, number>,
  targetMs: number,
  backfillMs: number,
): number {
  const own = positions.get(positionName(row))
  const champions = [...positions]
    .filter(([name]) => name.startsWith(`${familyPrefix(row)}champion/`))
    .map(([, seconds]) => seconds)
  const family = champions.length === 0 ? undefined : Math.max(...champions)
  const seconds =
    row.deployment_role === 'champion' ? Math.max(own ?? -1, family ?? -1) : (own ?? family ?? -1)
  return seconds < 0 ? targetMs - backfillMs : seconds * 1000
}

/** Whether the target window is too old to be scored, SRV-34: 2 h, for daily windows 26 h. */
export function isStale(
  durationMinutes: number,
  targetMs: number,
  nowMs: number,
  limitMs: number,
): boolean {
  const grace = durationMinutes >= 1_440 ? durationMinutes * 60_000 : 0
  return nowMs - targetMs > limitMs + grace
}

/** Groups deployments that have the same windows to score, so that these are read once. */
export function scoringUnits(
  pending: readonly { readonly row: DeploymentRow; readonly afterMs: number }[],
  untilMs: number,
): readonly ScoringUnit[] {
  const units = new Map<number, DeploymentRow[]>()
  for (const { row, afterMs } of pending) {
    if (afterMs >= untilMs) continue
    const rows = units.get(afterMs) ?? []
    rows.push(row)
    units.set(afterMs, rows)
  }
  return [...units].map(([afterMs, deployments]) => ({
    durationMinutes: deployments[0]?.window_duration_minutes ?? 0,
    afterMs,
    untilMs,
    deployments,
  }))
}
