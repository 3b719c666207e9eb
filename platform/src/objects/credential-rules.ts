import { type Credential, IsothermError } from '../contracts/index.ts'

/** Shortest key that is taken over from elsewhere; keys made here have 32 bytes, ING-3. */
const minKeyBytes = 16
const maxTopics = 8
const maxTopicLength = 256

function invalid(deviceId: string, what: string): IsothermError {
  return new IsothermError('INPUT_INVALID', `credentials of device ${deviceId}: ${what}`)
}

/**
 * A thumbprint as it is kept: upper-case hexadecimal SHA-1 or SHA-256 without separators.
 * @returns undefined if the text is no thumbprint
 */
export function thumbprintOf(text: string): string | undefined {
  const digits = text.replaceAll(/[\s:]/g, '').toUpperCase()
  return /^([0-9A-F]{40}|[0-9A-F]{64})$/.test(digits) ? digits : undefined
}

function checkedThumbprint(deviceId: string, text: string): string {
  const thumbprint = thumbprintOf(text)
  if (thumbprint !== undefined) return thumbprint
  throw invalid(deviceId, 'a thumbprint has 40 (SHA-1) or 64 (SHA-256) hexadecimal digits')
}

function checkTopics(deviceId: string, topics: readonly string[]): void {
  if (topics.length > maxTopics) throw invalid(deviceId, `at most ${maxTopics} topics of its own`)
  for (const topic of topics) {
    const isName = topic.length > 0 && topic.length <= maxTopicLength && !/[+#\0]/.test(topic)
    if (isName && !topic.startsWith('$')) continue
    throw invalid(
      deviceId,
      `topic ${JSON.stringify(topic.slice(0, 80))} is no name of 1 to ${maxTopicLength} characters ` +
        'without + and # that does not begin with $',
    )
  }
}

/**
 * A credential in the form it is kept.
 * @throws IsothermError INPUT_INVALID; the message names the device and no secret
 */
export function checkedCredential(deviceId: string, credential: Credential): Credential {
  switch (credential.kind) {
    case 'sas':
      for (const key of [credential.primaryKey, credential.secondaryKey]) {
        const size = Buffer.from(key, 'base64').length
        if (size >= minKeyBytes) continue
        throw invalid(
          deviceId,
          `a key has ${size} bytes, expected base64 of ${minKeyBytes} or more`,
        )
      }
      return credential
    case 'password':
      checkTopics(deviceId, credential.topics ?? [])
      return credential
    case 'x509_thumbprint': {
      const { primaryThumbprint, secondaryThumbprint } = credential
      return {
        kind: 'x509_thumbprint',
        primaryThumbprint: checkedThumbprint(deviceId, primaryThumbprint),
        secondaryThumbprint:
          secondaryThumbprint === null ? null : checkedThumbprint(deviceId, secondaryThumbprint),
      }
    }
    case 'x509_ca':
      return credential
  }
}
