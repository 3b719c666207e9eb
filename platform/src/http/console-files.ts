import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HttpProblem } from './problem.ts'

/** File names of assets carry a hash of their content, so they never change. */
const foreverS = 31_536_000

function isPageRequest(request: FastifyRequest): boolean {
  return (
    (request.method === 'GET' || request.method === 'HEAD') &&
    !/^\/(api|metrics|healthz|readyz|assets)(\/|$|\?)/.test(request.url) &&
    (request.headers.accept ?? '').includes('text/html')
  )
}

function unknownPath(request: FastifyRequest): HttpProblem {
  return new HttpProblem(
    404,
    `There is nothing at ${request.method} ${request.url.split('?')[0]}.`,
    {
      what_to_do: 'see /api/openapi.json for the operations there are',
    },
  )
}

/** Serves the built console: hashed assets for ever, the page itself always fresh. */
export async function serveConsole(
  app: FastifyInstance,
  directory: string | undefined,
): Promise<void> {
  if (directory === undefined || !existsSync(join(directory, 'index.html'))) {
    app.setNotFoundHandler((request) => {
      if (!isPageRequest(request)) throw unknownPath(request)
      throw new HttpProblem(404, 'The console is not built.', {
        where: directory ?? 'no console folder was configured',
        what_to_do: 'run npm run build:console, then start again',
      })
    })
    return
  }
  await app.register(fastifyStatic, {
    root: directory,
    preCompressed: true,
    cacheControl: false,
    setHeaders: (reply, path) => {
      const isAsset = path.includes('/assets/')
      reply.setHeader(
        'cache-control',
        isAsset ? `public, max-age=${foreverS}, immutable` : 'no-cache',
      )
    },
  })
  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    if (isPageRequest(request)) return reply.sendFile('index.html')
    throw unknownPath(request)
  })
}
