import type { FastifyInstance } from 'fastify'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Metrics of the HTTP server itself. */
export type RequestMetrics = {
  readonly text: () => Promise<string>
  readonly setEventClientCount: (count: number) => void
  readonly countDroppedClient: () => void
  readonly countFailure: () => void
}

/** Counts requests by route and status and observes their duration. */
export function measureRequests(app: FastifyInstance): RequestMetrics {
  const registers = [new Registry()]
  const duration = new Histogram({
    name: 'isotherm_http_request_duration_seconds',
    help: 'Time from request to answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.3, 1, 3, 10],
    registers,
  })
  const clients = new Gauge({
    name: 'isotherm_http_event_clients',
    help: 'Clients that listen to events',
    registers,
  })
  const dropped = new Counter({
    name: 'isotherm_http_event_clients_dropped_total',
    help: 'Clients dropped because they did not read their events',
    registers,
  })
  const failures = new Counter({
    name: 'isotherm_http_failures_total',
    help: 'Requests that ended with an unexpected error',
    registers,
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    duration
      .labels(request.method, route, String(reply.statusCode))
      .observe(reply.elapsedTime / 1000)
  })
  return {
    text: () => registers[0]?.metrics() ?? Promise.resolve(''),
    setEventClientCount: (count) => clients.set(count),
    countDroppedClient: () => dropped.inc(),
    countFailure: () => failures.inc(),
  }
}
