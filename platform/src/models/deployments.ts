import { IsothermError } from '../contracts/index.ts'
import type { ModelKey } from './model-manifest.ts'

/** What a deployed version may do: drive alerts, take part in a rollout, or only be recorded. */
export type DeploymentRole = 'champion' | 'challenger' | 'shadow'

/** A row of `model_deployments`, SRV-25: it alone says what runs. Instants are ISO 8601 UTC. */
export type DeploymentRow = {
  readonly model_id: string
  readonly granularity: string
  readonly window_duration_minutes: number
  /** `*`, a region or a cohort. */
  readonly slice: string
  readonly model_version: string
  readonly deployment_role: DeploymentRole
  readonly traffic_fraction: number
  readonly effective_from: string
  readonly effective_to: string | null
  readonly set_by: string
  readonly reason: string
}

/** Where a version stands, SRV-24; derived from the deployments, stored nowhere else. */
export type ModelStage = 'STAGING' | 'SHADOW' | 'CANARY' | 'RELEASED' | 'ARCHIVED' | 'ROLLED_BACK'

function isInForce(row: DeploymentRow, nowMs: number): boolean {
  const endMs = row.effective_to === null ? Number.POSITIVE_INFINITY : Date.parse(row.effective_to)
  return Date.parse(row.effective_from) <= nowMs && nowMs < endMs
}

/**
 * The deployments in force: for each family, duration, slice and role the newest row that has
 * begun; where that row has ended, nothing runs (SRV-25). Rows count in file order when they begin
 * together.
 */
export function deploymentsInForce(
  rows: readonly DeploymentRow[],
  nowMs: number,
): readonly DeploymentRow[] {
  const newest = new Map<string, DeploymentRow>()
  for (const row of rows) {
    if (Date.parse(row.effective_from) > nowMs) continue
    const { model_id, window_duration_minutes, slice, deployment_role } = row
    const place = [model_id, window_duration_minutes, slice, deployment_role].join('\n')
    const known = newest.get(place)
    if (known !== undefined && known.effective_from > row.effective_from) continue
    newest.set(place, row)
  }
  return [...newest.values()].filter((row) => isInForce(row, nowMs))
}

function concerns(row: DeploymentRow, key: ModelKey): boolean {
  return (
    row.model_id === key.modelId &&
    row.window_duration_minutes === key.durationMinutes &&
    row.model_version === key.modelVersion
  )
}

/** Stage of a version at an instant: what it does now, else what became of it. */
export function stageOf(key: ModelKey, rows: readonly DeploymentRow[], nowMs: number): ModelStage {
  const roles = deploymentsInForce(rows, nowMs)
    .filter((row) => concerns(row, key))
    .map((row) => row.deployment_role)
  if (roles.includes('champion')) return 'RELEASED'
  if (roles.includes('challenger')) return 'CANARY'
  if (roles.includes('shadow')) return 'SHADOW'
  const begun = rows.filter((row) => Date.parse(row.effective_from) <= nowMs)
  const last = begun.findLastIndex(
    (row) => concerns(row, key) && row.deployment_role === 'champion',
  )
  if (last < 0) return 'STAGING'
  const successor = begun
    .slice(last + 1)
    .find(
      (row) =>
        row.model_id === key.modelId &&
        row.window_duration_minutes === key.durationMinutes &&
        row.deployment_role === 'champion',
    )
  const isBack =
    successor !== undefined &&
    begun
      .slice(0, last)
      .some((row) => concerns(row, { ...key, modelVersion: successor.model_version }))
  return isBack ? 'ROLLED_BACK' : 'ARCHIVED'
}

/** Reads `deployments.ndjson`. @throws IsothermError MODEL_INVALID naming the line */
export function parseDeployments(text: string, path: string): readonly DeploymentRow[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => {
      const fail = (what: string, cause?: unknown): never => {
        throw new IsothermError(
          'MODEL_INVALID',
          `${path} line ${index + 1}: ${what}; restore the file from a backup`,
          { cause },
        )
      }
      let value: unknown
      try {
        value = JSON.parse(line)
      } catch (cause) {
        fail('it is no JSON', cause)
      }
      if (typeof value !== 'object' || value === null) return fail('it is no object')
      const row = value as DeploymentRow
      const isWhole =
        typeof row.model_id === 'string' &&
        typeof row.window_duration_minutes === 'number' &&
        typeof row.model_version === 'string' &&
        ['champion', 'challenger', 'shadow'].includes(row.deployment_role) &&
        !Number.isNaN(Date.parse(row.effective_from)) &&
        (row.effective_to === null || !Number.isNaN(Date.parse(row.effective_to)))
      return isWhole ? row : fail('a field is missing or wrong')
    })
}
