import type { Registration } from '../contracts/index.ts'

/** Seconds after which a device asks what became of its registration. */
export const retryAfterS = 1

/** First answer: the registration is under way. */
export function assigningBody({ operationId }: Registration): string {
  return JSON.stringify({ operationId, status: 'assigning' })
}

/** State of a registration as devices expect it. */
export function registrationState(registration: Registration, assignedHub: string) {
  const { registrationId, deviceId, substatus, createdAtMs, updatedAtMs } = registration
  return {
    registrationId,
    createdDateTimeUtc: new Date(createdAtMs).toISOString(),
    assignedHub,
    deviceId,
    status: 'assigned',
    substatus,
    lastUpdatedDateTimeUtc: new Date(updatedAtMs).toISOString(),
    etag: Buffer.from(String(updatedAtMs)).toString('base64'),
  } as const
}

/** Answer to a poll: the device is assigned. */
export function assignedBody(registration: Registration, assignedHub: string): string {
  return JSON.stringify({
    operationId: registration.operationId,
    status: 'assigned',
    registrationState: registrationState(registration, assignedHub),
  })
}

/** Answer to what cannot be. */
export function registrationProblem(errorCode: number, message: string, nowMs: number) {
  const timestampUtc = new Date(nowMs).toISOString()
  return { errorCode, trackingId: `${nowMs}`, message, timestampUtc } as const
}
