import type { FastifyInstance } from 'fastify'
import type { z } from 'zod'
import type { Role } from '../objects/index.ts'
import type { Identity } from './identity.ts'
import { HttpProblem } from './problem.ts'

/** What a route handler gets: parsed input and the caller. */
export type RouteRequest<Params, Query, Body> = {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly identity: Identity
  /** Header `Idempotency-Key`, if sent. */
  readonly idempotencyKey: string | undefined
  /** Header `If-Match`, if sent: change only what still has this ETag. */
  readonly ifMatch: string | undefined
  readonly requestId: string
}

/** One operation of the API: its schemas parse the request and describe it in OpenAPI. */
export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** OpenAPI spelling: `/api/v1/devices/{device_id}`. */
  readonly path: string
  readonly summary: string
  readonly params?: z.ZodObject
  readonly query?: z.ZodObject
  readonly body?: z.ZodType
  readonly reply: z.ZodType
  /** Who may call; everybody who is signed in if absent. */
  readonly allowed?: readonly Role[]
  /** Told about those who may not call, before they are told so. */
  readonly denied?: (request: RouteRequest<unknown, unknown, unknown>) => Promise<void>
  /** Header `Idempotency-Key` is read. */
  readonly isAction?: boolean
  /** Largest body; default 256 KiB. */
  readonly bodyLimitBytes?: number
  readonly handle: (request: RouteRequest<unknown, unknown, unknown>) => Promise<unknown>
}

type Parsed<S extends z.ZodType | undefined> = S extends z.ZodType ? z.output<S> : undefined

/** Declares a route; the handler's input and reply are typed by the schemas. */
export function defineRoute<
  Reply extends z.ZodType,
  Params extends z.ZodObject | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(route: {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly summary: string
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  readonly reply: Reply
  readonly allowed?: readonly Role[]
  readonly denied?: Route['denied']
  readonly isAction?: boolean
  readonly bodyLimitBytes?: number
  readonly handle: (
    request: RouteRequest<Parsed<Params>, Parsed<Query>, Parsed<Body>>,
  ) => Promise<z.input<Reply>>
}): Route {
  // Sound because `registerRoute` parses each part with the schema that typed the handler.
  return route as unknown as Route
}

function parsePart(schema: z.ZodType | undefined, value: unknown, part: string): unknown {
  if (schema === undefined) return undefined
  const result = schema.safeParse(value ?? {})
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const where = [part, ...(issue?.path ?? [])].join('.')
  throw new HttpProblem(400, `${where}: ${issue?.message ?? 'is not valid'}.`, {
    where,
    ...(issue === undefined ? {} : { expected: issue.message }),
    what_to_do: 'see /api/openapi.json for what this operation takes',
  })
}

function mayCall({ allowed }: Route, { role }: Identity): boolean {
  return allowed === undefined || allowed.includes(role)
}

function refusal(route: Route, identity: Identity): HttpProblem {
  return new HttpProblem(403, `The role ${identity.role} may not do this.`, {
    where: route.path,
    expected: `one of ${route.allowed?.join(', ') ?? ''}`,
    found: identity.role,
    what_to_do: 'ask an administrator for a token with one of these roles',
  })
}

/** Adds a route to the server: authenticate, parse, check the role, answer. */
export function registerRoute(
  app: FastifyInstance,
  route: Route,
  authenticate: (authorization: string | undefined) => Identity,
): void {
  app.route({
    method: route.method,
    url: route.path.replaceAll(/\{([a-z_]+)\}/g, ':$1'),
    ...(route.bodyLimitBytes !== undefined && { bodyLimit: route.bodyLimitBytes }),
    handler: async (request, reply) => {
      const identity = authenticate(request.headers.authorization)
      const key = request.headers['idempotency-key']
      const asked = {
        identity,
        idempotencyKey: typeof key === 'string' && key !== '' ? key : undefined,
        ifMatch: request.headers['if-match'],
        requestId: request.id,
      }
      if (!mayCall(route, identity)) {
        await route.denied?.({
          ...asked,
          params: request.params,
          query: undefined,
          body: undefined,
        })
        throw refusal(route, identity)
      }
      reply.header('cache-control', 'no-store')
      return await route.handle({
        ...asked,
        params: parsePart(route.params, request.params, 'path'),
        query: parsePart(route.query, request.query, 'query'),
        body: parsePart(route.body, request.body, 'body'),
      })
    },
  })
}
