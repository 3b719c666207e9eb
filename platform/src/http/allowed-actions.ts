import { type Actor, type AlertRow, isClosed, type Role } from '../objects/index.ts'
import type { AlertActionPath } from './schemas/alert-schema.ts'

const field: readonly Role[] = [
  'technician',
  'operator',
  'operator_lead',
  'regional_engineer',
  'vendor_specialist',
]
const office: readonly Role[] = [
  'technician',
  'site_manager',
  'operator',
  'operator_lead',
  'regional_engineer',
]

/**
 * OBJ-33 as far as buttons need it. The store decides when an action is done; this only keeps
 * pages from offering what would be refused, and a test compares the two.
 */
const rolesOf: Readonly<Record<AlertActionPath, readonly Role[]>> = {
  acknowledge: [...office, 'vendor_specialist'],
  assign: office,
  start: ['technician', 'regional_engineer', 'vendor_specialist'],
  resolve: field,
  'false-positive': field,
  confirm: [...office, 'vendor_specialist'],
  reopen: office,
  escalate: office,
}

const open: readonly AlertActionPath[] = [
  'assign',
  'resolve',
  'false-positive',
  'confirm',
  'escalate',
]

function possible(alert: AlertRow): readonly AlertActionPath[] {
  if (alert.suppressed) return []
  if (isClosed(alert.status)) return alert.resolution_code === 'SUPERSEDED' ? [] : ['reopen']
  if (alert.status === 'OPEN') return ['acknowledge', 'start', ...open]
  return alert.status === 'ACKNOWLEDGED' ? ['start', ...open] : open
}

/** What an actor may do to an alert as it is now. */
export function allowedActions(alert: AlertRow, actor: Actor): AlertActionPath[] {
  if (actor.role === 'vendor_specialist') {
    const isOwn = alert.escalation_level === 'L3' || alert.assignee_id === actor.id
    if (!isOwn) return []
  }
  return possible(alert).filter((action) => rolesOf[action].includes(actor.role))
}
