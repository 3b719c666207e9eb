import type { AlertRow } from './alert-record.ts'

/** Roles of people, OBJ-32. */
export const roles = [
  'viewer',
  'technician',
  'site_manager',
  'operator',
  'operator_lead',
  'regional_engineer',
  'vendor_specialist',
  'data_engineer',
  'ml_engineer',
  'admin',
] as const

/** A role of a person. */
export type Role = (typeof roles)[number]

/** Who acts, and where they may. */
export type Actor = {
  readonly id: string
  readonly role: Role
  /** Sites the person covers; absent means all. */
  readonly siteIds?: readonly string[]
}

/** Names of the actions on alerts, objects.md section 4. */
export type AlertActionName =
  | 'AcknowledgeAlert'
  | 'AssignAlert'
  | 'StartWork'
  | 'ResolveAlert'
  | 'MarkFalsePositive'
  | 'ConfirmAnomaly'
  | 'ReopenAlert'
  | 'EscalateAlert'

/** OBJ-33. An administrator has no silent power over alerts. */
const allowed: Readonly<Record<AlertActionName, readonly Role[]>> = {
  AcknowledgeAlert: [
    'technician',
    'site_manager',
    'operator',
    'operator_lead',
    'regional_engineer',
    'vendor_specialist',
  ],
  ConfirmAnomaly: [
    'technician',
    'site_manager',
    'operator',
    'operator_lead',
    'regional_engineer',
    'vendor_specialist',
  ],
  AssignAlert: ['technician', 'site_manager', 'operator', 'operator_lead', 'regional_engineer'],
  StartWork: ['technician', 'regional_engineer', 'vendor_specialist'],
  MarkFalsePositive: [
    'technician',
    'operator',
    'operator_lead',
    'regional_engineer',
    'vendor_specialist',
  ],
  ResolveAlert: [
    'technician',
    'operator',
    'operator_lead',
    'regional_engineer',
    'vendor_specialist',
  ],
  ReopenAlert: ['technician', 'site_manager', 'operator', 'operator_lead', 'regional_engineer'],
  EscalateAlert: ['technician', 'site_manager', 'operator', 'operator_lead', 'regional_engineer'],
}

/** Details of an action that its permission depends on. */
export type PermissionDetail = {
  readonly assignee?: string
  readonly targetLevel?: 'L2' | 'L3'
}

/** Why an actor may not do this to an alert, or undefined if they may, OBJ-32 and OBJ-33. */
export function denialReason(
  actor: Actor,
  action: AlertActionName,
  alert: AlertRow,
  detail: PermissionDetail = {},
): string | undefined {
  if (!allowed[action].includes(actor.role)) {
    return `the role ${actor.role} may not ${action}; allowed: ${allowed[action].join(', ')}`
  }
  if (actor.siteIds !== undefined && !actor.siteIds.includes(alert.site_id)) {
    return `${actor.id} does not cover site ${alert.site_id}`
  }
  if (actor.role === 'vendor_specialist') {
    const own = alert.escalation_level === 'L3' || alert.assignee_id === actor.id
    if (!own) return 'a vendor_specialist acts only on alerts escalated to L3 or assigned to them'
  }
  if (
    action === 'AssignAlert' &&
    actor.role === 'technician' &&
    detail.assignee !== undefined &&
    detail.assignee !== actor.id
  ) {
    return 'a technician may assign an alert only to themselves'
  }
  const limited = actor.role === 'technician' || actor.role === 'site_manager'
  if (action === 'EscalateAlert' && limited && detail.targetLevel === 'L3') {
    return `a ${actor.role} may escalate to L2 only`
  }
  return undefined
}
