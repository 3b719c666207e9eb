import type { FastifyReply, FastifyRequest } from 'fastify'
import { IsothermError } from '../contracts/index.ts'
import { admitByCertificate, admitByToken } from './admission.ts'
import { peerCertificate } from './client-certificate.ts'
import { isDeviceId } from './device-names.ts'
import type { GatewayCore } from './gateway-core.ts'
import { isSasToken } from './sas-token.ts'

/** When a client should try again while the log takes nothing. */
export const stalledRetryS = 5

/** An answer that ends a request early. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly retryAfterS: number | undefined

  constructor(status: number, code: string, message: string, retryAfterS?: number) {
    super(message)
    this.status = status
    this.code = code
    this.retryAfterS = retryAfterS
  }
}

/** The value of a header that may come once. */
export function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}

/**
 * Id of the device a request is admitted as, by token or, without one, by the client certificate
 * of its connection, ING-4. @throws Refusal
 */
export function admitDevice(core: GatewayCore, request: FastifyRequest): string {
  const { id } = request.params as { readonly id: string }
  const token = header(request, 'authorization')
  const certificate = token === undefined ? peerCertificate(request.raw.socket) : undefined
  const isProven = certificate !== undefined || (token !== undefined && isSasToken(token))
  if (!isProven || !isDeviceId(id)) {
    const expected = 'Authorization: SharedAccessSignature ... or a client certificate'
    throw new Refusal(401, 'UNAUTHORIZED', `${expected} is required`)
  }
  const nowMs = core.clock()
  const admission =
    certificate === undefined
      ? admitByToken(core.desk, id, token ?? '', nowMs)
      : admitByCertificate(core.desk, id, certificate, nowMs)
  if (admission.kind === 'refused') {
    core.logger.info({ deviceId: id, reason: admission.reason }, 'request refused')
    const proof = certificate === undefined ? 'token' : 'certificate'
    throw new Refusal(401, 'UNAUTHORIZED', `the ${proof} is not valid for this device`)
  }
  return id
}

/** Answers what ended a request early; anything else is thrown on. */
export function answerError(error: unknown, reply: FastifyReply): FastifyReply {
  if (error instanceof Refusal) {
    if (error.retryAfterS !== undefined) reply.header('retry-after', String(error.retryAfterS))
    return reply.code(error.status).send({ code: error.code, message: error.message })
  }
  if (error instanceof IsothermError) {
    const isLog = error.code === 'DISK_FULL' || error.code === 'LOG_CLOSED'
    if (isLog) reply.header('retry-after', String(stalledRetryS))
    return reply.code(isLog ? 503 : 500).send({ code: error.code, message: error.message })
  }
  throw error
}
