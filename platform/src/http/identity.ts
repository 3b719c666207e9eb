/** Roles of people and programs, OBJ-32. */
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
  'service',
] as const

/** A role of OBJ-32. */
export type Role = (typeof roles)[number]

/** Who makes a request. */
export type Identity = {
  readonly actorId: string
  /** Name for people. */
  readonly name: string
  readonly role: Role
}
