import type { ApiContext } from '../api-context.ts'
import { deviceParams, requireDevice } from '../device-access.ts'
import { covers } from '../identity.ts'
import type { PresenceBoard } from '../presence-board.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  devicePresenceSchema,
  presenceQuerySchema,
  presenceSchema,
} from '../schemas/presence-schema.ts'

/** Who is connected and who reports, since the server started. */
export function presenceRoutes(context: ApiContext, board: PresenceBoard): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/presence',
      summary: 'Devices that came, left, fell silent or report again, newest first',
      query: presenceQuerySchema,
      reply: presenceSchema,
      handle: async ({ query, identity }) => {
        const visible = board.events().filter(({ deviceId, kind }) => {
          const site = context.state.registry.device(deviceId)?.site_id
          const isAsked = query.kind === undefined || query.kind === kind
          return isAsked && (identity.siteIds === undefined || covers(identity, site ?? ''))
        })
        return {
          ...board.counts(),
          events: visible.slice(0, query.limit).map(({ deviceId, kind, atMs }) => ({
            device_id: deviceId,
            kind,
            at: new Date(atMs).toISOString(),
          })),
        }
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/devices/{device_id}/presence',
      summary: 'Whether a device is connected and reports',
      params: deviceParams,
      reply: devicePresenceSchema,
      handle: async ({ params, identity }) => {
        const deviceId = requireDevice(context, identity, params.device_id)
        const known = board.of(deviceId)
        return {
          device_id: deviceId,
          connected: known?.isConnected ?? null,
          reporting: known?.isReporting ?? null,
          changed_at: known === undefined ? null : new Date(known.changedMs).toISOString(),
        }
      },
    }),
  ]
}
