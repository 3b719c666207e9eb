import type { DeviceIdentity, IdentityDirectory } from '../contracts/index.ts'
import { isDeviceId, parseHubUsername } from './device-names.ts'
import type { PasswordCheck } from './password.ts'
import { isSasToken, verifySasToken } from './sas-token.ts'

/** Why a device was not let in; what it is told follows from this and says no more. */
export type AdmissionRefusal =
  | 'identifier'
  | 'credentials'
  | 'unauthorized'
  | 'unavailable'
  | 'rate'
  | 'method'

/** Outcome of a CONNECT or of a request with credentials. */
export type Admission =
  | {
      readonly kind: 'admitted'
      readonly identity: DeviceIdentity
      /** When the token ends and the session with it. */
      readonly expiresAtMs?: number
    }
  | { readonly kind: 'refused'; readonly refusal: AdmissionRefusal; readonly reason: string }

/** What a client presents. */
export type Presented = {
  readonly clientId: string
  readonly username: string | undefined
  readonly password: string | undefined
}

/** What admissions are decided with. */
export type AdmissionDesk = {
  readonly directory: IdentityDirectory
  /** In lower case. */
  readonly hostNames: ReadonlySet<string>
  readonly passwords: PasswordCheck
  readonly tokenLeewayMs: number
}

function refused(refusal: AdmissionRefusal, reason: string): Admission {
  return { kind: 'refused', refusal, reason }
}

/** Checks a token for a device; unknown devices, wrong keys and disabled ones answer alike. */
export function admitByToken(
  desk: AdmissionDesk,
  deviceId: string,
  token: string,
  nowMs: number,
): Admission {
  const identity = desk.directory.device(deviceId)
  if (identity === undefined) return refused('unauthorized', 'device is not registered')
  if (identity.device.status !== 'active') {
    return refused('unauthorized', `device is ${identity.device.status}`)
  }
  const keys = identity.credentials.flatMap((credential) =>
    credential.kind === 'sas' ? [credential.primaryKey, credential.secondaryKey] : [],
  )
  const verdict = verifySasToken(token, {
    deviceId,
    keys,
    hostNames: desk.hostNames,
    nowMs,
    leewayMs: desk.tokenLeewayMs,
  })
  return verdict.kind === 'valid'
    ? { kind: 'admitted', identity, expiresAtMs: verdict.expiresAtMs }
    : refused('unauthorized', verdict.reason)
}

function admitHubClient(
  desk: AdmissionDesk,
  presented: Presented,
  token: string,
  nowMs: number,
): Admission {
  const name = parseHubUsername(presented.username ?? '')
  if (name === undefined) {
    return refused('credentials', 'user name is not {host}/{device id}/?api-version=...')
  }
  if (name.clientId !== presented.clientId) {
    return refused('identifier', 'client id differs from the one in the user name')
  }
  if (!isDeviceId(name.clientId)) return refused('identifier', 'client id is not a device id')
  return admitByToken(desk, name.clientId, token, nowMs)
}

async function admitByPassword(desk: AdmissionDesk, presented: Presented): Promise<Admission> {
  const { username, password } = presented
  if (username === undefined || password === undefined) {
    return refused('credentials', 'user name and password are required')
  }
  const identity = desk.directory.deviceByUsername(username)
  const credential = identity?.credentials.find(
    (own) => own.kind === 'password' && own.username === username,
  )
  if (identity === undefined || credential?.kind !== 'password') {
    return refused('credentials', 'user name is not known')
  }
  const isRight = await desk.passwords.matches(password, credential.passwordHash)
  if (isRight === undefined) return refused('unavailable', 'too many password checks wait')
  if (!isRight) return refused('credentials', 'password is wrong')
  // Asked again: the check took a while, and the device may have been disabled meanwhile.
  const current = desk.directory.device(identity.device.device_id)
  return current?.device.status === 'active'
    ? { kind: 'admitted', identity: current }
    : refused('unauthorized', `device is ${current?.device.status ?? 'not registered'}`)
}

/** Decides who a connecting client is, ING-4 to ING-6. */
export async function admit(
  desk: AdmissionDesk,
  presented: Presented,
  nowMs: number,
): Promise<Admission> {
  const { password } = presented
  return password !== undefined && isSasToken(password)
    ? admitHubClient(desk, presented, password, nowMs)
    : admitByPassword(desk, presented)
}
