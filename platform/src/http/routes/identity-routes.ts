import { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { hubDeviceSchema, type Role } from '../../objects/index.ts'
import type { ApiContext } from '../api-context.ts'
import { defineRoute, type Route } from '../route.ts'

/** Who may say which devices are let in, and see their secrets. */
const keepers: readonly Role[] = ['admin', 'operator_lead']

/** Lines of one import request: they fit into the largest body. */
const maxImportLines = 200
const maxExportLines = 2_000

const outcomesSchema = z.object({
  outcomes: z.array(
    z.object({
      id: z.string(),
      result: z.enum(['created', 'updated', 'deleted', 'failed']),
      reason: z.string().optional(),
    }),
  ),
})

const trustSchema = z.object({
  authorities: z.array(z.object({ thumbprint: z.string(), subject: z.string() })),
  revocations: z.array(
    z.object({ certificate: z.string(), reason: z.string(), revoked_at: z.iso.datetime() }),
  ),
  policies: z.array(z.string()),
})

const done = z.object({ done: z.boolean() })
const certificateName = z.object({ certificate: z.string().min(2).max(200) })

function exchangeRoutes({ state, fleet }: ApiContext): readonly Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/api/v1/registry/import',
      summary: `Creates, changes and removes devices, at most ${maxImportLines}, in IoT Hub's format`,
      body: z.object({ devices: z.array(hubDeviceSchema).max(maxImportLines) }),
      reply: outcomesSchema,
      allowed: keepers,
      handle: async ({ body }) => {
        const equipmentClass = fleet.equipmentClasses[0] ?? 'default'
        const defaults = { equipment_class: equipmentClass }
        return { outcomes: [...(await state.exchange.importDevices(body.devices, defaults))] }
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/registry/export',
      summary: "Devices in the order of their ids, in IoT Hub's format; secrets only if asked for",
      query: z.object({
        after: z.string().max(128).default(''),
        limit: z.coerce.number().int().min(1).max(maxExportLines).default(500),
        keys: z.enum(['true', 'false']).default('false'),
      }),
      reply: z.object({ devices: z.array(hubDeviceSchema) }),
      allowed: keepers,
      handle: async ({ query: { after, limit, keys } }) => ({
        devices: [
          ...(await state.exchange.exportDevices({ after, limit, withKeys: keys === 'true' })),
        ],
      }),
    }),
  ]
}

function authorityRoutes({ state: { trust } }: ApiContext): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/trust',
      summary: 'Certificate authorities, revoked certificates and shared access policies',
      reply: trustSchema,
      allowed: keepers,
      handle: async () => ({
        authorities: trust.authorities().map(({ thumbprint, certificate }) => ({
          thumbprint,
          subject: new X509Certificate(certificate).subject.replaceAll('\n', ', '),
        })),
        revocations: trust.revocations().map(({ certificate, reason, revokedAtMs }) => ({
          certificate,
          reason,
          revoked_at: new Date(revokedAtMs).toISOString(),
        })),
        policies: [...trust.policyNames()],
      }),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/trust/authorities',
      summary: 'Registers a certificate authority of devices',
      body: z.object({ certificate: z.string().max(20_000).describe('PEM') }),
      reply: z.object({ thumbprint: z.string() }),
      allowed: keepers,
      handle: async ({ body }) => {
        const { thumbprint } = await trust.addAuthority(body.certificate)
        return { thumbprint }
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/trust/authorities/remove',
      summary: 'Trusts an authority no longer; sessions that rest on it end',
      body: certificateName,
      reply: done,
      allowed: keepers,
      handle: async ({ body }) => ({ done: await trust.removeAuthority(body.certificate) }),
    }),
  ]
}

function revocationRoutes({ state: { trust } }: ApiContext): readonly Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/api/v1/trust/revocations',
      summary: 'Revokes a certificate by thumbprint or serial number; its session ends',
      body: certificateName.extend({ reason: z.string().max(500).default('') }),
      reply: done,
      allowed: keepers,
      handle: async ({ body }) => {
        await trust.revoke(body.certificate, body.reason)
        return { done: true }
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/trust/revocations/restore',
      summary: 'Takes a certificate off the revocation list',
      body: certificateName,
      reply: done,
      allowed: keepers,
      handle: async ({ body }) => ({ done: await trust.restore(body.certificate) }),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/trust/policies',
      summary: 'Makes a policy whose tokens let any device connect; its keys are shown once',
      body: z.object({ name: z.string() }),
      reply: z.object({ name: z.string(), primary_key: z.string(), secondary_key: z.string() }),
      allowed: keepers,
      handle: async ({ body: { name } }) => {
        const [primary, secondary] = await trust.setPolicy(name)
        return { name, primary_key: primary, secondary_key: secondary }
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/trust/policies/remove',
      summary: 'Removes a policy; sessions that rest on it end',
      body: z.object({ name: z.string() }),
      reply: done,
      allowed: keepers,
      handle: async ({ body }) => ({ done: await trust.removePolicy(body.name) }),
    }),
  ]
}

/** Who is let in: the registry as a whole, authorities, revocations and policies. */
export function identityRoutes(context: ApiContext): readonly Route[] {
  return [...exchangeRoutes(context), ...authorityRoutes(context), ...revocationRoutes(context)]
}
