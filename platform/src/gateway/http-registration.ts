import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { peerCertificate } from './client-certificate.ts'
import type { GatewayCore } from './gateway-core.ts'
import { header, Refusal } from './http-refusal.ts'
import { admitRegistrant, type Registrant } from './registrant.ts'
import {
  assignedBody,
  assigningBody,
  registrationProblem,
  registrationState,
  retryAfterS,
} from './registration-answers.ts'

type Path = { readonly scope: string; readonly id: string; readonly operation?: string }

function admit(core: GatewayCore, request: FastifyRequest): Registrant {
  const { scope, id } = request.params as Path
  const admission = admitRegistrant(
    core,
    { idScope: scope, registrationId: id },
    {
      clientId: id,
      username: undefined,
      password: header(request, 'authorization'),
      certificate: peerCertificate(request.raw.socket),
    },
  )
  if (admission.kind === 'registrant') return admission
  const reason = admission.kind === 'refused' ? admission.reason : 'not a registrant'
  core.logger.info({ registrationId: id, reason }, 'registration refused')
  throw new Refusal(401, 'UNAUTHORIZED', 'the token is not valid for this registration')
}

/**
 * The provisioning service over HTTPS: register (202), poll the operation, look the registration
 * up. The same proofs and answers as over MQTT.
 */
export function registrationRoutes(scope: FastifyInstance, core: GatewayCore): void {
  const { provisioning, assignedHub } = core
  if (provisioning === undefined) return
  const path = '/:scope/registrations/:id'
  const problem = (reply: FastifyReply, errorCode: number, message: string): FastifyReply =>
    reply
      .code(Math.floor(errorCode / 1_000))
      .send(registrationProblem(errorCode, message, core.clock()))

  scope.put(`${path}/register`, async (request, reply) => {
    const { registrationId, enrollmentId, thumbprint } = admit(core, request)
    const outcome = await provisioning.register(enrollmentId, registrationId, thumbprint)
    if (outcome.kind === 'refused') return problem(reply, outcome.errorCode, outcome.message)
    reply.code(202).header('retry-after', String(retryAfterS)).type('application/json')
    return reply.send(assigningBody(outcome.registration))
  })
  scope.get(`${path}/operations/:operation`, async (request, reply) => {
    const { registrationId } = admit(core, request)
    const { operation } = request.params as Path
    const registration = await provisioning.registration(registrationId)
    if (registration === undefined || registration.operationId !== operation) {
      return problem(reply, 404_002, 'there is no such operation')
    }
    return reply.type('application/json').send(assignedBody(registration, assignedHub))
  })
  scope.post(path, async (request, reply) => {
    const { registrationId } = admit(core, request)
    const registration = await provisioning.registration(registrationId)
    if (registration === undefined) return problem(reply, 404_001, 'it is not registered')
    return registrationState(registration, assignedHub)
  })
}
