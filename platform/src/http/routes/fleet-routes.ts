import { type FleetDefinition, featureColumns } from '../../contracts/index.ts'
import type { ApiContext } from '../api-context.ts'
import { defineRoute, type Route } from '../route.ts'
import { type FleetView, fleetSchema } from '../schemas/fleet-schema.ts'
import { meSchema } from '../schemas/health-schema.ts'

function fleetView(fleet: FleetDefinition): FleetView {
  return {
    name: fleet.name,
    title: fleet.title,
    device_noun: fleet.deviceNoun,
    window_minutes: [...fleet.windowMinutes],
    sensors: fleet.sensors.map((sensor) => ({
      name: sensor.name,
      short: sensor.short,
      label: sensor.label,
      kind: sensor.kind,
      unit: sensor.unit,
      group: sensor.group,
      range: sensor.range === undefined ? null : [sensor.range[0], sensor.range[1]],
      resolution: sensor.resolution,
      meaning: sensor.meaning,
    })),
    features: featureColumns(fleet).map(({ name, label, unit, group, resolution, source }) => ({
      name,
      label,
      unit,
      group,
      resolution,
      sensor: source.kind === 'aggregate' ? source.sensor.name : null,
    })),
    bands: fleet.bands.map(({ sensor, label }) => ({ sensor, label })),
    models: fleet.models.map(({ modelId, kind, windowMinutes }) => ({
      model_id: modelId,
      kind,
      window_minutes: [...windowMinutes],
    })),
    stream_rules: fleet.streamRules.map(({ id, sensor, group }) => ({ id, sensor, group })),
    hints: fleet.hints.map(({ feature, direction, text }) => ({ feature, direction, text })),
  }
}

/** What the fleet is and who asks. */
export function fleetRoutes(context: ApiContext): readonly Route[] {
  const view = fleetView(context.fleet)
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/fleet',
      summary: 'Sensors, features, models and words of the fleet',
      reply: fleetSchema,
      handle: () => Promise.resolve(view),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/me',
      summary: 'Who the caller is',
      reply: meSchema,
      handle: ({ identity }) =>
        Promise.resolve({
          actor_id: identity.id,
          name: identity.name,
          role: identity.role,
          authentication: context.authentication,
        }),
    }),
  ]
}
