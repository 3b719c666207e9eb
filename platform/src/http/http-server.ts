import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { FleetDefinition, TableContract } from '../contracts/index.ts'
import { IsothermError } from '../contracts/index.ts'
import type { DeviceClocks, PresenceEvent } from '../gateway/index.ts'
import type { Lake } from '../lake/index.ts'
import type { LedgerQuery, LedgerReport } from '../ledger/index.ts'
import type { State } from '../objects/index.ts'
import type { DeadLetters, FeatureCare, Quality } from '../runtime/index.ts'
import { feedChanges, feedPresence, narrowingFor } from './alert-feed.ts'
import type { ApiContext } from './api-context.ts'
import { type Authentication, checkOpenMode, createAuthenticator } from './authentication.ts'
import { guardBrowsers } from './browser-guard.ts'
import { compressAnswers } from './compression.ts'
import { serveConsole } from './console-files.ts'
import { createEventHub, type ServerEvent } from './event-hub.ts'
import { openApiDocument } from './openapi.ts'
import { PresenceBoard } from './presence-board.ts'
import { problemOf } from './problem.ts'
import { measureRequests } from './request-metrics.ts'
import { registerRoute } from './route.ts'
import { actionRoutes } from './routes/action-routes.ts'
import { alertRoutes, createAlertPresenter } from './routes/alert-routes.ts'
import { clockRoutes } from './routes/clock-routes.ts'
import { contractRoutes } from './routes/contract-routes.ts'
import { deadLetterRoutes } from './routes/dead-letter-routes.ts'
import { deviceHubRoutes } from './routes/device-hub-routes.ts'
import { deviceRoutes } from './routes/device-routes.ts'
import { enrollmentRoutes } from './routes/enrollment-routes.ts'
import { featureRoutes } from './routes/feature-routes.ts'
import { featureStoreRoutes } from './routes/feature-store-routes.ts'
import { fleetRoutes } from './routes/fleet-routes.ts'
import { healthRoutes } from './routes/health-routes.ts'
import { identityRoutes } from './routes/identity-routes.ts'
import { ledgerRoutes } from './routes/ledger-routes.ts'
import { modelRoutes } from './routes/model-routes.ts'
import { presenceRoutes } from './routes/presence-routes.ts'
import { qualityRoutes } from './routes/quality-routes.ts'
import { queryRoutes } from './routes/query-routes.ts'
import type { ComponentState } from './schemas/health-schema.ts'

/** What the HTTP server is made of. */
export type HttpServerOptions = {
  readonly fleet: FleetDefinition
  readonly lake: Lake
  readonly state: State
  readonly registry: ApiContext['registry']
  /** Adds what can be done with messages that could not be read. */
  readonly deadLetters?: DeadLetters
  /** Adds quality gates, what waits behind them, and reports. */
  readonly quality?: Quality
  /** Adds the online features and their health. */
  readonly features?: FeatureCare
  /** Contracts beside those of the release; default: none. */
  readonly contracts?: () => readonly TableContract[]
  /** Adds what is known of the clocks of devices. */
  readonly clocks?: DeviceClocks
  /** Adds the loss ledger. */
  readonly ledger?: (query: LedgerQuery) => LedgerReport
  /** Time in epoch milliseconds. */
  readonly clock: () => number
  readonly authentication: Authentication
  /** Prometheus text of the other parts, one block each; the server's own is added. */
  readonly metrics?: () => readonly string[] | Promise<readonly string[]>
  /** States of the parts of the process, for health and readiness. */
  readonly components?: () => readonly ComponentState[]
  /** Adds the gateway's ingest endpoints; they authenticate devices themselves. */
  readonly ingestRoutes?: (app: FastifyInstance) => void | Promise<void>
  /** Calls a method of a device; without it every device is offline. */
  readonly callMethod?: ApiContext['callMethod']
  /** Tells of devices that come, leave, fall silent or report again. */
  readonly onPresence?: (listener: (event: PresenceEvent) => void) => () => void
  /** Folder of the built console. */
  readonly consoleDirectory?: string
  /** PEM texts; without them the server speaks plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Told about unexpected errors; the client only gets the request id. */
  readonly onFailure?: (failure: { readonly requestId: string; readonly error: unknown }) => void
  readonly logger?: FastifyBaseLogger
}

/** The HTTP server: API, console, events and metrics. */
export type HttpServer = {
  /** For tests and for the owner of the process; routes are complete. */
  readonly app: FastifyInstance
  /**
   * Starts to listen and returns the address.
   * @throws IsothermError INPUT_INVALID for open mode on a reachable address, PORT_IN_USE
   */
  readonly listen: (address: { readonly host: string; readonly port: number }) => Promise<string>
  /** Tells clients that something changed which the state store does not know of. */
  readonly publish: (event: ServerEvent) => void
  readonly close: () => Promise<void>
}

/** Bodies are small: actions and queries. The gateway's endpoints set their own limit. */
const bodyLimitBytes = 256 * 1024

async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE') {
      throw new IsothermError(
        'PORT_IN_USE',
        `http: port ${port} on ${host} is in use; stop the other program or choose another port`,
        { cause },
      )
    }
    throw cause
  }
}

/** Asked for, not required: devices may prove themselves with one, and admission judges it. */
const deviceCertificates = { requestCert: true, rejectUnauthorized: false } as const

function createApp(options: HttpServerOptions): FastifyInstance {
  const base = {
    bodyLimit: bodyLimitBytes,
    forceCloseConnections: true,
    ...(options.logger === undefined ? {} : { loggerInstance: options.logger }),
  }
  const app: FastifyInstance =
    options.tls === undefined
      ? Fastify(base)
      : (Fastify({
          ...base,
          https: { ...options.tls, ...deviceCertificates },
        }) as unknown as FastifyInstance)
  return app
}

/** Creates the server with all its routes; `listen` starts it. */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { authentication, clock, state } = options
  const app = createApp(options)
  const metrics = measureRequests(app)
  const authenticate = createAuthenticator(authentication)
  const hub = createEventHub({
    epoch: clock().toString(36),
    onClientCount: metrics.setEventClientCount,
    onDropped: metrics.countDroppedClient,
  })
  const stopFeed = feedChanges(state, hub)
  const board = new PresenceBoard()
  const stopBoard = options.onPresence?.((event) => board.note(event))
  const stopPresence = options.onPresence && feedPresence(options.onPresence, hub)
  const components = options.components ?? (() => [])
  const context: ApiContext = {
    fleet: options.fleet,
    lake: options.lake,
    state,
    registry: options.registry,
    clock,
    components,
    callMethod: options.callMethod ?? (async () => ({ kind: 'offline' })),
    eventClientCount: hub.clientCount,
    authentication: authentication.kind,
  }

  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error, request.url.split('?')[0] ?? '', request.id)
    // 504 tells of a device that did not answer: nothing here failed.
    if (problem.status >= 500 && problem.status !== 504) {
      metrics.countFailure()
      options.onFailure?.({ requestId: request.id, error })
    }
    reply.status(problem.status).type('application/problem+json').send(problem)
  })
  guardBrowsers(app, {
    loopbackOnly: authentication.kind === 'open',
    tls: options.tls !== undefined,
  })
  const { ingestRoutes } = options
  if (ingestRoutes !== undefined) {
    await app.register(async (scope) => {
      await ingestRoutes(scope)
    })
  }
  await app.register(async (scope) => {
    // Only JSON: a form on a foreign page can send text/plain without asking first.
    scope.removeContentTypeParser('text/plain')
    compressAnswers(scope)
    const present = createAlertPresenter(context)
    const routes = [
      ...featureRoutes(context),
      ...fleetRoutes(context),
      ...contractRoutes(context, options.contracts ?? (() => [])),
      ...deviceRoutes(context),
      ...deviceHubRoutes(context),
      ...presenceRoutes(context, board),
      ...enrollmentRoutes(context),
      ...alertRoutes(context, present),
      ...actionRoutes(context, present),
      ...modelRoutes(context),
      ...queryRoutes(context),
      ...healthRoutes(context),
      ...identityRoutes(context),
      ...(options.features === undefined ? [] : featureStoreRoutes(context, options.features)),
      ...(options.clocks === undefined ? [] : clockRoutes(context, options.clocks)),
      ...(options.ledger === undefined ? [] : ledgerRoutes(context, options.ledger)),
      ...(options.deadLetters === undefined ? [] : deadLetterRoutes(options.deadLetters)),
      ...(options.quality === undefined ? [] : qualityRoutes(options.quality)),
    ]
    for (const route of routes) registerRoute(scope, route, authenticate)
    const title = `Isotherm: ${options.fleet.title}`
    const document = openApiDocument(routes, { title, version: '1' })
    scope.get('/api/openapi.json', () => document)
    scope.get('/api/v1/events', (request, reply) => {
      const identity = authenticate(request.headers.authorization)
      const last = request.headers['last-event-id']
      reply.hijack()
      const narrow = narrowingFor(identity, state)
      hub.connect(reply.raw, typeof last === 'string' ? last : undefined, narrow)
    })
    scope.get('/metrics', async (request, reply) => {
      authenticate(request.headers.authorization)
      reply.type('text/plain; version=0.0.4; charset=utf-8')
      const others = (await options.metrics?.()) ?? []
      return [...others, await metrics.text()].join('\n')
    })
  })
  app.get('/healthz', () => ({ status: 'ok' }))
  app.get('/readyz', (_request, reply) => {
    const waiting = components().filter(({ state: is }) => is === 'failed' || is === 'starting')
    if (waiting.length > 0) reply.status(503)
    return { status: waiting.length === 0 ? 'ready' : 'not ready', waiting }
  })
  await serveConsole(app, options.consoleDirectory)
  await app.ready()

  return {
    app,
    listen: async ({ host, port }) => {
      checkOpenMode(authentication, host)
      return listen(app, host, port)
    },
    publish: hub.publish,
    close: async () => {
      stopFeed()
      stopBoard?.()
      stopPresence?.()
      hub.close()
      await app.close()
    },
  }
}
