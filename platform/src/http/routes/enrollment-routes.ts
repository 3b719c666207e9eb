import { z } from 'zod'
import type { KeptEnrollment } from '../../objects/index.ts'
import type { ApiContext } from '../api-context.ts'
import { HttpProblem } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'

const thumbprint = z.string().regex(/^[0-9A-F]{64}$/, '64 upper-case hexadecimal digits')
const jsonObject = z.record(z.string(), z.json())

const enrollmentSchema = z.object({
  enrollment_id: z.string().describe('Registration id of one device, or name of a group'),
  kind: z.enum(['individual', 'group']),
  attestation: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('symmetric_key') }),
    z.object({
      kind: z.literal('x509_thumbprint'),
      primary_thumbprint: thumbprint.describe('SHA-256 of the certificate'),
      secondary_thumbprint: thumbprint.nullable().default(null),
    }),
    z.object({ kind: z.literal('x509_ca'), certificate: z.string().describe('PEM') }),
  ]),
  is_enabled: z.boolean().default(true),
  reprovision: z.enum(['migrate', 'reset', 'never']).default('migrate'),
  device_id: z.string().optional().describe('Individual: default the registration id'),
  device: z
    .object({ site_id: z.string(), model: z.string(), region: z.string() })
    .partial()
    .optional()
    .describe('What the registry says of a device that registers'),
  initial_twin: z.object({ tags: jsonObject, desired: jsonObject }).partial().optional(),
})

const keysSchema = z.object({
  primary_key: z.string().optional(),
  secondary_key: z.string().optional(),
})

const listSchema = z.object({ id_scope: z.string(), enrollments: z.array(enrollmentSchema) })
const putSchema = enrollmentSchema.extend({
  keys: z.object({ primary_key: z.base64(), secondary_key: z.base64() }).optional(),
})

type Shown = z.input<typeof enrollmentSchema>

function shown(enrollment: KeptEnrollment): Shown {
  const { attestation, device, deviceId, initialTwin } = enrollment
  return {
    enrollment_id: enrollment.enrollmentId,
    kind: enrollment.kind,
    attestation:
      attestation.kind === 'x509_thumbprint'
        ? {
            kind: attestation.kind,
            primary_thumbprint: attestation.primaryThumbprint,
            secondary_thumbprint: attestation.secondaryThumbprint,
          }
        : attestation,
    is_enabled: enrollment.isEnabled,
    reprovision: enrollment.reprovision,
    ...(deviceId !== undefined && { device_id: deviceId }),
    ...(device !== undefined && { device }),
    ...(initialTwin !== undefined && { initial_twin: initialTwin as Shown['initial_twin'] }),
  }
}

function keptOf(
  body: z.output<typeof enrollmentSchema>,
  equipmentClass: string | undefined,
): KeptEnrollment {
  const { attestation, device_id: deviceId, device = {}, initial_twin: twin } = body
  const { site_id, model, region } = device
  return {
    enrollmentId: body.enrollment_id,
    kind: body.kind,
    attestation:
      attestation.kind === 'x509_thumbprint'
        ? {
            kind: attestation.kind,
            primaryThumbprint: attestation.primary_thumbprint,
            secondaryThumbprint: attestation.secondary_thumbprint,
          }
        : attestation,
    isEnabled: body.is_enabled,
    reprovision: body.reprovision,
    ...(deviceId !== undefined && { deviceId }),
    device: {
      ...(equipmentClass !== undefined && { equipment_class: equipmentClass }),
      ...(site_id !== undefined && { site_id }),
      ...(model !== undefined && { model }),
      ...(region !== undefined && { region }),
    },
    ...(twin !== undefined && {
      initialTwin: {
        ...(twin.tags !== undefined && { tags: twin.tags }),
        ...(twin.desired !== undefined && { desired: twin.desired }),
      },
    }),
  }
}

/** Leave for devices to register themselves; keys are shown once, when they are made. */
export function enrollmentRoutes({ state, fleet }: ApiContext): readonly Route[] {
  const { enrollments } = state
  const allowed = ['admin', 'operator_lead'] as const
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/enrollments',
      summary: 'Enrollments of the provisioning service, without keys, and its id scope',
      reply: listSchema,
      allowed,
      handle: async () => ({
        id_scope: enrollments.idScope,
        enrollments: enrollments.list().map(shown),
      }),
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/v1/enrollments',
      summary: 'Adds or changes an enrollment; answers keys that were made, this once',
      body: putSchema,
      reply: keysSchema,
      allowed,
      handle: async ({ body }) => {
        const keys = body.keys && {
          primaryKey: body.keys.primary_key,
          secondaryKey: body.keys.secondary_key,
        }
        const made = await enrollments.put(keptOf(body, fleet.equipmentClasses[0]), keys)
        if (made === undefined || keys !== undefined) return {}
        return { primary_key: made.primaryKey, secondary_key: made.secondaryKey }
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/enrollments/{enrollment_id}',
      summary: 'Removes an enrollment; devices that registered stay',
      params: z.object({ enrollment_id: z.string() }),
      reply: z.object({}),
      allowed,
      handle: async ({ params }) => {
        if (await enrollments.remove(params.enrollment_id)) return {}
        throw new HttpProblem(404, `There is no enrollment ${params.enrollment_id}.`, {
          where: 'path.enrollment_id',
          what_to_do: 'look it up with GET /api/v1/enrollments',
        })
      },
    }),
  ]
}
