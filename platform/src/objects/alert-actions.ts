import type { LabelEventRow } from '../contracts/index.ts'
import type { Actor } from './action-permissions.ts'
import type { AlertRow } from './alert-record.ts'

/** How a person may close an alert, OBJ-7; the other codes belong to the platform. */
export const personResolutionCodes = [
  'REPAIRED',
  'NO_FAULT_FOUND',
  'PLANNED_ACTIVITY',
  'DEVICE_REMOVED',
  'DUPLICATE',
] as const
export type PersonResolutionCode = (typeof personResolutionCodes)[number]

/** Why an alert was false, OBJ-22. */
export const falsePositiveReasons = [
  'DEFROST',
  'DOOR',
  'SENSOR_FAULT',
  'PLANNED_WORK',
  'USER_BEHAVIOR',
  'SEASON',
  'OTHER',
] as const
export type FalsePositiveReason = (typeof falsePositiveReasons)[number]

/** An action on an alert with its parameters, objects.md section 4. */
export type AlertAction =
  | { readonly kind: 'AcknowledgeAlert'; readonly notes?: string }
  | {
      readonly kind: 'AssignAlert'
      readonly assignee: string
      readonly team?: string
      readonly note?: string
    }
  /** Work on the alert begins; until work orders exist it stands for OBJ-19. */
  | { readonly kind: 'StartWork' }
  | {
      readonly kind: 'ResolveAlert'
      readonly resolutionCode: PersonResolutionCode
      readonly notes: string
      readonly failureMode?: string
      /** The person looked at the unit on site: the label counts as a field engineer's. */
      readonly inspectedOnSite?: boolean
    }
  | {
      readonly kind: 'MarkFalsePositive'
      readonly reasonCode: FalsePositiveReason
      readonly reason: string
      readonly inspectedOnSite?: boolean
    }
  | {
      readonly kind: 'ConfirmAnomaly'
      readonly failureMode?: string
      readonly inspectedOnSite?: boolean
    }
  | { readonly kind: 'ReopenAlert'; readonly reason: string }
  | {
      readonly kind: 'EscalateAlert'
      readonly targetLevel: 'L2' | 'L3'
      readonly escalatedTo: string
      readonly reason: string
    }

/** An action as it arrives: what, on which alert as last seen, by whom. */
export type ActionRequest = {
  readonly alertId: string
  readonly action: AlertAction
  /** Version of the alert the person saw, OBJ-3. */
  readonly expectedVersion: number
  /** A repeat with the same key gets the first result, OBJ-3. */
  readonly idempotencyKey: string
  readonly actor: Actor
  readonly source: 'console' | 'mobile' | 'api'
  /** When it was done, for actions queued offline, at most 72 h ago, OBJ-31. */
  readonly performedAtMs?: number
  readonly requestId?: string
}

/** What became of an action. Nothing but the audit record was written unless it is `ok`. */
export type ActionResult =
  | {
      readonly kind: 'ok'
      readonly alert: AlertRow
      readonly label?: LabelEventRow
      /** Worth telling the person; the action was done. */
      readonly warnings: readonly string[]
    }
  | { readonly kind: 'denied'; readonly reason: string }
  | { readonly kind: 'invalid'; readonly reason: string }
  /** Somebody was faster; `alert` is how it stands now. */
  | { readonly kind: 'conflict'; readonly reason: string; readonly alert: AlertRow }
  | { readonly kind: 'not_found'; readonly reason: string }
