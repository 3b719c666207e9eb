import { z } from 'zod'
import type { Credential, DeviceRow } from '../contracts/index.ts'
import { generateSasKeys } from './sas-keys.ts'

/** What a line of an import wants done, as IoT Hub has it. */
export const importModes = [
  'create',
  'update',
  'delete',
  'createOrUpdate',
  'updateIfMatchETag',
  'deleteIfMatchETag',
  'createOrUpdateIfMatchETag',
  'updateTwin',
  'updateTwinIfMatchETag',
] as const

const jsonObject = z.record(z.string(), z.json())
const pairSchema = z.object({
  primaryKey: z.string().nullish(),
  secondaryKey: z.string().nullish(),
})
const thumbprintSchema = z.object({
  primaryThumbprint: z.string().nullish(),
  secondaryThumbprint: z.string().nullish(),
})
const authenticationSchema = z.object({
  type: z.enum(['sas', 'selfSigned', 'certificateAuthority', 'none']).optional(),
  symmetricKey: pairSchema.nullish(),
  x509Thumbprint: thumbprintSchema.nullish(),
})

/** What a person may state of a device, beside its id and credentials; the registry has the rest. */
export const deviceFields = {
  site_id: z.string().optional(),
  site_name: z.string().nullable().optional(),
  region: z.string().optional(),
  model: z.string().optional(),
  equipment_class: z.string().optional(),
  climate_zone: z.string().nullable().optional(),
  customer_tier: z.string().nullable().optional(),
  cohort_id: z.string().nullable().optional(),
  install_date: z.string().nullable().optional(),
  firmware_version: z.string().nullable().optional(),
  expected_sensors: z.array(z.string()).nullable().optional(),
  reporting_interval_s: z.number().int().positive().optional(),
  timezone: z.string().optional(),
  timestamp_mode: z.enum(['utc', 'local']).optional(),
  pressure_reference: z.enum(['absolute', 'gauge']).optional(),
} as const

/** Registry columns that only Isotherm has; validity is the registry's own affair. */
const ownSchema = z.object({
  status: z.enum(['active', 'disabled', 'decommissioned']).optional(),
  ...deviceFields,
  username: z.string().optional(),
  passwordHash: z.string().optional(),
  topics: z.array(z.string()).optional(),
})

/**
 * One device as IoT Hub exports it (ExportImportDevice); members it does not list are ignored.
 * `isotherm` holds what IoT Hub has no place for.
 */
export const hubDeviceSchema = z.object({
  id: z.string(),
  moduleId: z.string().nullish(),
  eTag: z.string().nullish(),
  importMode: z.enum(importModes).optional(),
  status: z.enum(['enabled', 'disabled']).optional(),
  statusReason: z.string().nullish(),
  authentication: authenticationSchema.nullish(),
  twinETag: z.string().nullish(),
  tags: jsonObject.nullish(),
  properties: z.object({ desired: jsonObject.nullish(), reported: jsonObject.nullish() }).nullish(),
  capabilities: jsonObject.nullish(),
  isotherm: ownSchema.optional(),
})

/** One line of an import or export in IoT Hub's format. */
export type HubDevice = z.output<typeof hubDeviceSchema>

type Authentication = NonNullable<HubDevice['authentication']>

/** The type IoT Hub means when the line does not say it. */
function typeOf(authentication: Authentication): NonNullable<Authentication['type']> {
  const { type, x509Thumbprint } = authentication
  if (type !== undefined) return type
  return x509Thumbprint?.primaryThumbprint ? 'selfSigned' : 'sas'
}

/**
 * Credentials a line asks for. Keys and passwords it does not show stay as they are, so that an
 * export without secrets can be imported; keys nobody has are made, as IoT Hub does.
 */
export function credentialsOf(
  device: HubDevice,
  before: readonly Credential[],
): readonly Credential[] {
  const own = device.isotherm
  const found: Credential[] = []
  if (own?.username !== undefined && own.passwordHash !== undefined) {
    const { username, passwordHash, topics } = own
    found.push({ kind: 'password', username, passwordHash, ...(topics && { topics }) })
  } else found.push(...before.filter(({ kind }) => kind === 'password'))
  const authentication = device.authentication ?? {}
  const type = typeOf(authentication)
  const { symmetricKey, x509Thumbprint } = authentication
  if (type === 'sas') {
    const known = before.find((one) => one.kind === 'sas') ?? generateSasKeys()
    found.push({
      kind: 'sas',
      primaryKey: symmetricKey?.primaryKey ?? known.primaryKey,
      secondaryKey: symmetricKey?.secondaryKey ?? known.secondaryKey,
    })
  } else if (type === 'selfSigned') {
    const { primaryThumbprint, secondaryThumbprint } = x509Thumbprint ?? {}
    found.push({
      kind: 'x509_thumbprint',
      primaryThumbprint: primaryThumbprint ?? secondaryThumbprint ?? '',
      secondaryThumbprint: primaryThumbprint ? (secondaryThumbprint ?? null) : null,
    })
  } else if (type === 'certificateAuthority') found.push({ kind: 'x509_ca' })
  return found
}

/** The authentication of a line that describes credentials; keys only if they may be shown. */
export function authenticationOf(
  credentials: readonly Credential[],
  withKeys: boolean,
): Authentication {
  const empty = { primaryThumbprint: null, secondaryThumbprint: null }
  for (const one of credentials) {
    if (one.kind === 'sas') {
      const { primaryKey, secondaryKey } = one
      const symmetricKey = withKeys
        ? { primaryKey, secondaryKey }
        : { primaryKey: null, secondaryKey: null }
      return { type: 'sas', symmetricKey, x509Thumbprint: empty }
    }
    if (one.kind === 'x509_thumbprint') {
      const { primaryThumbprint, secondaryThumbprint } = one
      return {
        type: 'selfSigned',
        symmetricKey: null,
        x509Thumbprint: { primaryThumbprint, secondaryThumbprint },
      }
    }
    if (one.kind === 'x509_ca') {
      return { type: 'certificateAuthority', symmetricKey: null, x509Thumbprint: empty }
    }
  }
  return { type: 'none', symmetricKey: null, x509Thumbprint: empty }
}

/** Tags that name a registry column of text fill it, so that sites and models come along. */
const taggedColumns = [
  'site_id',
  'site_name',
  'region',
  'model',
  'equipment_class',
  'climate_zone',
  'customer_tier',
  'firmware_version',
] as const

/** Registry row of a device after a line: what the line says, over tags, over what was there. */
export function rowAfter(before: DeviceRow, device: HubDevice, isNew: boolean): DeviceRow {
  const tags = device.tags ?? {}
  const tagged = isNew
    ? Object.fromEntries(
        taggedColumns.flatMap((name) => {
          const value = tags[name]
          return typeof value === 'string' && value !== '' ? [[name, value]] : []
        }),
      )
    : {}
  const {
    username: _username,
    passwordHash: _hash,
    topics: _topics,
    ...own
  } = device.isotherm ?? {}
  const said = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined))
  const status =
    device.status === undefined
      ? {}
      : { status: device.status === 'enabled' ? ('active' as const) : ('disabled' as const) }
  return { ...before, ...status, ...tagged, ...said }
}
