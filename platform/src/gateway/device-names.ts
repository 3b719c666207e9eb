/** A device id as the registry allows it, ING-3. */
const devicePattern = /^[A-Za-z0-9\-._:]{1,128}$/

export function isDeviceId(text: string): boolean {
  return devicePattern.test(text)
}

/** Host and client id in the user name of an IoT Hub client. */
export type HubUsername = { readonly hostName: string; readonly clientId: string }

/**
 * Reads `{host}/{clientId}/?api-version=...` and its older forms: the client id ends at `/?`, at
 * `/api-version` or at the end. Undefined if the name is not of this kind.
 */
export function parseHubUsername(username: string): HubUsername | undefined {
  const hostEnd = username.indexOf('/')
  if (hostEnd <= 0) return undefined
  const rest = username.slice(hostEnd + 1)
  const ends = ['/?', '/api-version', '?'].map((mark) => rest.indexOf(mark)).filter((at) => at >= 0)
  const clientId = (ends.length === 0 ? rest : rest.slice(0, Math.min(...ends))).replace(/\/$/, '')
  return clientId === '' ? undefined : { hostName: username.slice(0, hostEnd), clientId }
}

/** Longest message id that is believed, as IoT Hub has it; others do not name a message. */
const maxMessageIdLength = 128

/** A message id that can be believed, or undefined: the payload then names the message. */
export function usableMessageId(text: string | undefined): string | undefined {
  return text !== undefined && text.length > 0 && text.length <= maxMessageIdLength
    ? text
    : undefined
}
