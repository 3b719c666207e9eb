import { createHash } from 'node:crypto'
import type { DeviceCommand, NewDeviceCommand } from '../objects/index.ts'
import type { ApiContext } from './api-context.ts'
import type { Identity } from './identity.ts'
import { problemOf } from './problem.ts'
import type { Route, RouteRequest } from './route.ts'

/** A command somebody gives to a device. */
export type AskedCommand = {
  readonly deviceId: string
  readonly command: DeviceCommand
  readonly identity: Identity
  readonly requestId: string
  readonly parameters: NewDeviceCommand['parameters']
}

/** What a refusal means for the audit log. */
function resultOf(status: number): NewDeviceCommand['result'] {
  if (status === 409 || status === 412) return 'conflict'
  return status === 400 || status === 413 ? 'invalid' : 'failed'
}

/** Size and hash of contents: they prove what was sent without keeping secrets that it may hold. */
export function contentsOf(payload: string | Uint8Array): NewDeviceCommand['parameters'] {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { size_bytes: bytes.length, sha256 }
}

/**
 * Carries out a command and writes it down with what came of it: a reply is given only when the
 * entry is on disk. A process that dies in between may have sent what no entry tells of.
 */
export async function recorded<T>(
  context: ApiContext,
  asked: AskedCommand,
  work: () => Promise<T>,
  answerOf: (reply: T) => Readonly<Record<string, unknown>>,
): Promise<T> {
  const { identity, ...command } = asked
  const base = {
    ...command,
    by: { id: identity.id, role: identity.role },
    source: 'api',
    askedAtMs: context.clock(),
  } as const
  const { commands } = context.state
  let reply: T
  try {
    reply = await work()
  } catch (error) {
    const { status, detail: reason } = problemOf(error, '', asked.requestId)
    await commands.record({ ...base, result: resultOf(status), reason })
    throw error
  }
  await commands.record({ ...base, result: 'ok', answer: answerOf(reply) })
  return reply
}

/** Writes down commands of those whose role may give none. */
export function recordDenied(
  context: ApiContext,
  command: DeviceCommand,
): NonNullable<Route['denied']> {
  return async ({ params, identity, requestId }: RouteRequest<unknown, unknown, unknown>) => {
    // The router took the id from the path; whether such a device exists does not matter here.
    const { device_id: deviceId } = params as { readonly device_id: string }
    await context.state.commands.record({
      deviceId: deviceId.slice(0, 128),
      command,
      by: { id: identity.id, role: identity.role },
      source: 'api',
      askedAtMs: context.clock(),
      parameters: {},
      result: 'denied',
      reason: `the role ${identity.role} may not do this`,
      requestId,
    })
  }
}
