import type { z } from 'zod'
import { type MethodOutcome, unreachable } from '../../contracts/index.ts'
import type { TwinUpdate } from '../../objects/index.ts'
import type { ApiContext } from '../api-context.ts'
import { contentsOf, recordDenied, recorded } from '../command-record.ts'
import { commanders, deviceParams, requireDevice } from '../device-access.ts'
import { HttpProblem } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  commandQuerySchema,
  commandsSchema,
  methodAnswerSchema,
  methodCallSchema,
  twinSchema,
  twinWriteSchema,
} from '../schemas/device-hub-schema.ts'
import { cloudMessageRoutes } from './cloud-message-routes.ts'

/** Payload of a call, IoT Hub's limit. */
const maxMethodBytes = 131_072

type TwinReply = z.input<typeof twinSchema>

function updatedTwin(deviceId: string, update: TwinUpdate): TwinReply {
  switch (update.kind) {
    case 'changed':
      return update.twin as TwinReply
    case 'stale':
      throw new HttpProblem(412, `The twin of ${deviceId} has changed; nothing was written.`, {
        where: 'header If-Match',
        expected: update.etag,
        what_to_do: 'read the twin again and decide anew',
      })
    case 'refused':
      throw new HttpProblem(
        Math.floor(update.errorCode / 1_000),
        `The twin cannot be changed so: ${update.message}.`,
        { where: 'body', what_to_do: 'nothing was written; correct what was sent' },
      )
    default:
      return unreachable(update)
  }
}

/** The same operations under our path and under IoT Hub's, whose tools call them. */
function twinRoutes(context: ApiContext, path: string): readonly Route[] {
  const { twins } = context.state
  const change = (method: 'PATCH' | 'PUT', summary: string) =>
    defineRoute({
      method,
      path,
      summary,
      params: deviceParams,
      body: twinWriteSchema,
      reply: twinSchema,
      allowed: commanders,
      denied: recordDenied(context, method === 'PUT' ? 'replace twin' : 'change twin'),
      handle: async ({ params, body, identity, ifMatch, requestId }) => {
        const deviceId = requireDevice(context, identity, params.device_id)
        const written = {
          ...(body.tags !== undefined && { tags: body.tags }),
          ...(body.properties?.desired !== undefined && { desired: body.properties.desired }),
        }
        const command = method === 'PUT' ? 'replace twin' : 'change twin'
        return recorded(
          context,
          // Twins are kept in the open, so what was asked of one may be too.
          { deviceId, command, identity, requestId, parameters: written },
          async () => {
            const update = await twins.update(deviceId, {
              isReplace: method === 'PUT',
              ...written,
              ...(ifMatch !== undefined && { ifMatch }),
            })
            return updatedTwin(deviceId, update)
          },
          ({ version, properties }) => ({
            version,
            desired_version: properties.desired.$version,
          }),
        )
      },
    })
  return [
    defineRoute({
      method: 'GET',
      path,
      summary: 'Twin of a device: tags, desired and reported properties',
      params: deviceParams,
      reply: twinSchema,
      handle: async ({ params, identity }) => {
        const deviceId = requireDevice(context, identity, params.device_id)
        return (await twins.document(deviceId)) as TwinReply
      },
    }),
    change('PATCH', 'Merges tags and desired properties into a twin; null deletes'),
    change('PUT', 'Replaces tags and desired properties of a twin'),
  ]
}

function methodAnswer(
  deviceId: string,
  outcome: MethodOutcome,
): z.input<typeof methodAnswerSchema> {
  switch (outcome.kind) {
    case 'answered':
      return { status: outcome.status, payload: parsedAnswer(outcome.payload) }
    case 'offline':
      throw new HttpProblem(404, `${deviceId} is not connected, or takes no method calls.`, {
        what_to_do: 'call again when it is there, or wait for it with connectTimeoutInSeconds',
      })
    case 'no answer':
      throw new HttpProblem(504, `${deviceId} did not answer within ${outcome.waitedMs} ms.`, {
        what_to_do: 'the device may have done it all the same; ask its twin',
      })
    case 'busy':
      throw new HttpProblem(429, `Too many calls wait for ${deviceId} already.`, {
        what_to_do: 'try again when one has been answered',
      })
    default:
      return unreachable(outcome)
  }
}

/** A device may answer with anything; what is no JSON is passed on as text. */
function parsedAnswer(text: string): z.input<typeof methodAnswerSchema>['payload'] {
  if (text === '') return null
  try {
    return JSON.parse(text) as z.input<typeof methodAnswerSchema>['payload']
  } catch {
    return text
  }
}

function methodRoute(context: ApiContext, path: string): Route {
  return defineRoute({
    method: 'POST',
    path,
    summary: 'Calls a method of a connected device and waits for its answer',
    params: deviceParams,
    body: methodCallSchema,
    reply: methodAnswerSchema,
    allowed: commanders,
    denied: recordDenied(context, 'call method'),
    handle: async ({ params, body, identity, requestId }) => {
      const deviceId = requireDevice(context, identity, params.device_id)
      const payload = body.payload === undefined ? '' : JSON.stringify(body.payload)
      if (Buffer.byteLength(payload) > maxMethodBytes) {
        throw new HttpProblem(413, `The payload is over ${maxMethodBytes} bytes.`, {
          where: 'body.payload',
        })
      }
      const parameters = { method: body.methodName, ...contentsOf(payload) }
      return recorded(
        context,
        { deviceId, command: 'call method', identity, requestId, parameters },
        async () =>
          methodAnswer(
            deviceId,
            await context.callMethod(deviceId, {
              methodName: body.methodName,
              payload,
              responseTimeoutMs: body.responseTimeoutInSeconds * 1_000,
              connectTimeoutMs: body.connectTimeoutInSeconds * 1_000,
            }),
          ),
        ({ status }) => ({ status }),
      )
    },
  })
}

function commandsRoute(context: ApiContext): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/v1/devices/{device_id}/commands',
    summary: 'Who told a device to do what, when, and what came of it; newest first',
    params: deviceParams,
    query: commandQuerySchema,
    reply: commandsSchema,
    handle: async ({ params, query, identity }) => {
      const deviceId = requireDevice(context, identity, params.device_id)
      const entries = await context.state.commands.of(deviceId, query.limit)
      return {
        commands: entries.map((entry) => ({
          audit_id: entry.auditId,
          asked_at: new Date(entry.askedAtMs).toISOString(),
          done_at: new Date(entry.doneAtMs).toISOString(),
          command: entry.command,
          by: entry.by.id,
          role: entry.by.role,
          source: entry.source,
          parameters: entry.parameters,
          result: entry.result,
          answer: entry.answer ?? {},
          reason: entry.reason ?? null,
        })),
      }
    },
  })
}

/** Messages to devices, twins and direct methods; twins and methods also as IoT Hub has them. */
export function deviceHubRoutes(context: ApiContext): readonly Route[] {
  return [
    ...cloudMessageRoutes(context),
    ...twinRoutes(context, '/api/v1/devices/{device_id}/twin'),
    ...twinRoutes(context, '/twins/{device_id}'),
    methodRoute(context, '/api/v1/devices/{device_id}/methods'),
    methodRoute(context, '/twins/{device_id}/methods'),
    commandsRoute(context),
  ]
}
