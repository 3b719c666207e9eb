import type { LedgerQuery, LedgerReport } from '../../ledger/index.ts'
import type { ApiContext } from '../api-context.ts'
import { requireDevice } from '../device-access.ts'
import { HttpProblem } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'
import { type LedgerView, ledgerQuerySchema, ledgerSchema } from '../schemas/ledger-schema.ts'

/** A report in the words of the API. */
export function ledgerView(report: LedgerReport): LedgerView {
  const { asOfMs, total, hours, devices, unbalancedCount } = report
  return {
    as_of: asOfMs === undefined ? null : new Date(asOfMs).toISOString(),
    total,
    hours: hours.map(({ startMs, ...line }) => ({
      start: new Date(startMs).toISOString(),
      ...line,
    })),
    devices: devices.map(({ deviceId, ...line }) => ({ device_id: deviceId, ...line })),
    unbalanced_count: unbalancedCount,
  }
}

/** What came in and what became of it, per device and hour. */
export function ledgerRoutes(
  context: ApiContext,
  read: (query: LedgerQuery) => LedgerReport,
): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/ledger',
      summary: 'received = stored + duplicate + rejected, of the fleet or of a device, by hour',
      query: ledgerQuerySchema,
      reply: ledgerSchema,
      handle: async ({ query, identity }) => {
        const { device, hours, limit } = query
        const nowMs = context.clock()
        if (identity.siteIds === undefined) {
          const one = device === undefined ? {} : { deviceId: device }
          return ledgerView(read({ hours, limit, nowMs, ...one }))
        }
        if (device === undefined) {
          throw new HttpProblem(403, 'The books of the fleet are for those who see all sites.', {
            where: 'query.device',
            expected: 'a device of your sites',
            what_to_do: 'ask for one device with ?device=',
          })
        }
        return ledgerView(
          read({ hours, nowMs, deviceId: requireDevice(context, identity, device) }),
        )
      },
    }),
  ]
}
