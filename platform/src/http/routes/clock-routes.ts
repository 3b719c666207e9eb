import type { DeviceClock, DeviceClocks } from '../../gateway/index.ts'
import type { ApiContext } from '../api-context.ts'
import { deviceParams, requireDevice } from '../device-access.ts'
import { covers } from '../identity.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  clockListSchema,
  clockQuerySchema,
  type DeviceClockView,
  deviceClockSchema,
} from '../schemas/clock-schema.ts'

function viewOf(deviceId: string, clock: DeviceClock | undefined): DeviceClockView {
  const rounded = (value: number | undefined) =>
    value === undefined ? null : Math.round(value * 1_000) / 1_000
  return {
    device_id: deviceId,
    offset_seconds: rounded(clock && clock.offsetMs / 1_000),
    drift_ppm: rounded(clock?.driftPpm),
    suspect_zone_minutes: clock?.suspectZoneMinutes ?? null,
    sample_count: clock?.sampleCount ?? 0,
    heard_at: clock === undefined ? null : new Date(clock.lastMs).toISOString(),
  }
}

/** Clocks of devices, estimated from their messages since the server started. */
export function clockRoutes(
  context: ApiContext,
  clocks: Pick<DeviceClocks, 'of' | 'worst' | 'suspectCount'>,
): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/clocks',
      summary: 'Device clocks that are off or seem to be in a wrong time zone, the worst first',
      query: clockQuerySchema,
      reply: clockListSchema,
      handle: async ({ query, identity }) => {
        const sees = ({ deviceId }: DeviceClock) =>
          identity.siteIds === undefined ||
          covers(identity, context.state.registry.device(deviceId)?.site_id ?? '')
        const { over_seconds: overSeconds, limit } = query
        const found = clocks.worst({ overMs: overSeconds * 1_000, limit }).filter(sees)
        return {
          suspect_count: clocks.suspectCount,
          clocks: found.map((clock) => viewOf(clock.deviceId, clock)),
        }
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/devices/{device_id}/clock',
      summary: "Offset and drift of a device's clock, and a wrong time zone it may be in",
      params: deviceParams,
      reply: deviceClockSchema,
      handle: async ({ params, identity }) => {
        const deviceId = requireDevice(context, identity, params.device_id)
        return viewOf(deviceId, clocks.of(deviceId))
      },
    }),
  ]
}
