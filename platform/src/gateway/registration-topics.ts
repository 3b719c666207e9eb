import { generate, type ISubscribePacket, type IUnsubscribePacket } from 'mqtt-packet'
import type { GatewayCore } from './gateway-core.ts'
import type { Registrant } from './registrant.ts'
import {
  assignedBody,
  assigningBody,
  registrationProblem,
  retryAfterS,
} from './registration-answers.ts'
import type { SessionLink, SessionTopics } from './session-topics.ts'

const answerFilter = '$dps/registrations/res/#'
const registerTopic = '$dps/registrations/PUT/iotdps-register/'
const pollTopic = '$dps/registrations/GET/iotdps-get-operationstatus/'
/** Requests of one registrant at work: it asks one thing after the other. */
const maxRequests = 4

function queryOf(topic: string): URLSearchParams {
  const at = topic.indexOf('?')
  return new URLSearchParams(at < 0 ? '' : topic.slice(at + 1))
}

/** Topics of the provisioning service for one client that wants to become a device. */
export class RegistrationTopics implements SessionTopics {
  readonly #core: GatewayCore
  readonly #registrant: Registrant
  readonly #link: SessionLink
  #requestCount = 0

  constructor(core: GatewayCore, registrant: Registrant, link: SessionLink) {
    this.#core = core
    this.#registrant = registrant
    this.#link = link
  }

  async subscribe(packet: ISubscribePacket): Promise<void> {
    const refusal = this.#link.version === 5 ? 0x87 : 0x80
    const granted = packet.subscriptions.map(({ topic }) => (topic === answerFilter ? 0 : refusal))
    this.#send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted })
  }

  async unsubscribe(packet: IUnsubscribePacket): Promise<void> {
    const granted = packet.unsubscriptions.map((topic) => (topic === answerFilter ? 0 : 0x11))
    this.#send({ cmd: 'unsuback', messageId: packet.messageId ?? 0, granted })
  }

  publish(topic: string, _payload: Buffer, done: () => void): boolean {
    const isRegister = topic.startsWith(registerTopic)
    if (!isRegister && !topic.startsWith(pollTopic)) return false
    const query = queryOf(topic)
    const requestId = query.get('$rid')
    if (requestId === null || !/^[\w.-]{1,128}$/.test(requestId)) return false
    if (this.#requestCount >= maxRequests) return false
    this.#requestCount++
    const answer = isRegister
      ? this.#register(requestId)
      : this.#poll(requestId, query.get('operationId') ?? '')
    answer
      .then(done, (error: unknown) => this.#link.failed(error))
      .finally(() => {
        this.#requestCount--
      })
    return true
  }

  acknowledged(): boolean {
    return false
  }

  /** Nothing is held for a registrant. */
  ended(): void {
    this.#requestCount = maxRequests
  }

  async #register(requestId: string): Promise<void> {
    const { registrationId, enrollmentId, thumbprint } = this.#registrant
    const outcome = await this.#core.provisioning?.register(
      enrollmentId,
      registrationId,
      thumbprint,
    )
    if (outcome?.kind === 'assigned') {
      const topic = `$dps/registrations/res/202/?$rid=${requestId}&retry-after=${retryAfterS}`
      this.#publish(topic, assigningBody(outcome.registration))
    } else {
      const { errorCode = 404_001, message = 'no such enrollment' } = outcome ?? {}
      this.#refuse(requestId, errorCode, message)
    }
  }

  async #poll(requestId: string, operationId: string): Promise<void> {
    const { registrationId } = this.#registrant
    const registration = await this.#core.provisioning?.registration(registrationId)
    if (registration?.operationId === operationId) {
      const topic = `$dps/registrations/res/200/?$rid=${requestId}`
      this.#publish(topic, assignedBody(registration, this.#core.assignedHub))
    } else this.#refuse(requestId, 404_002, 'there is no such operation')
  }

  #refuse(requestId: string, errorCode: number, message: string): void {
    const topic = `$dps/registrations/res/${Math.floor(errorCode / 1_000)}/?$rid=${requestId}`
    const problem = registrationProblem(errorCode, message, this.#link.nowMs())
    this.#publish(topic, JSON.stringify(problem))
  }

  #publish(topic: string, payload: string): void {
    this.#send({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false })
  }

  #send(packet: Parameters<typeof generate>[0]): void {
    this.#link.send(generate(packet, { protocolVersion: this.#link.version }))
  }
}
