import type { FastifyInstance } from 'fastify'
import { isLoopback } from './authentication.ts'
import { HttpProblem } from './problem.ts'

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const headers: Readonly<Record<string, string>> = {
  'content-security-policy': contentSecurityPolicy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

function hostName(host: string): string {
  return host.replace(/:\d+$/, '')
}

function checkOrigin(origin: string | undefined, host: string): void {
  if (origin === undefined) return
  const originHost = URL.canParse(origin) ? new URL(origin).host : origin
  if (originHost.toLowerCase() === host.toLowerCase()) return
  throw new HttpProblem(403, 'Pages of other sites may not use this server.', {
    where: 'header Origin',
    expected: host,
    found: originHost,
    what_to_do: 'open the console on this server, or call the API from a program',
  })
}

/**
 * Keeps other web pages out. In open mode there is no token that a foreign page would lack, so the
 * host must be a loopback name too: otherwise a name that an attacker points at 127.0.0.1 (DNS
 * rebinding) would count as the same origin.
 */
export function guardBrowsers(
  app: FastifyInstance,
  options: { readonly loopbackOnly: boolean; readonly tls: boolean },
): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers)
    if (options.tls) reply.header('strict-transport-security', 'max-age=31536000')
    const host = request.headers.host ?? ''
    if (options.loopbackOnly && !isLoopback(hostName(host))) {
      throw new HttpProblem(403, 'This server answers on the local machine only.', {
        where: 'header Host',
        expected: 'localhost or a loopback address',
        found: host,
        what_to_do: 'open http://localhost, or configure API tokens',
      })
    }
    checkOrigin(request.headers.origin, host)
  })
}
