import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { type Check, type Finding, finding, reasonOf } from './finding.ts'

const dayMs = 86_400_000
/** ING-22: warned so many days before the end. */
const warnDays = 14

function problem(where: string, expected: string, found: string, advice: string): Finding {
  return finding('certificate', { state: 'failed', where, expected, found, advice })
}

function namesOf(parsed: X509Certificate): string {
  return parsed.subjectAltName ?? parsed.subject
}

function validity(parsed: X509Certificate, where: string, nowMs: number): readonly Finding[] {
  const fromMs = Date.parse(parsed.validFrom)
  const daysLeft = Math.floor((Date.parse(parsed.validTo) - nowMs) / dayMs)
  const expected = `${warnDays} days or more left`
  if (fromMs > nowMs) {
    const advice = 'check the clock of this machine, or take a certificate that is valid already'
    return [problem(where, expected, `not valid before ${parsed.validFrom}`, advice)]
  }
  const advice = 'renew it and restart: devices refuse an expired certificate'
  if (daysLeft < 0) return [problem(where, expected, `expired on ${parsed.validTo}`, advice)]
  const state = daysLeft < warnDays ? 'warning' : 'ok'
  const found = `${daysLeft} days left, for ${namesOf(parsed)}`
  return [finding('certificate', { state, where, expected, found, advice })]
}

function matching(parsed: X509Certificate, certificatePath: string, keyPath: string) {
  const expected = `the key of ${certificatePath}`
  if (!existsSync(keyPath)) {
    return [problem(keyPath, expected, 'no such file', 'give the key with --tls-key')]
  }
  try {
    if (parsed.checkPrivateKey(createPrivateKey(readFileSync(keyPath)))) return []
    const advice =
      'give the key this certificate was made for: no TLS connection works with another'
    return [problem(keyPath, expected, 'the key of another certificate', advice)]
  } catch (cause) {
    return [problem(keyPath, expected, reasonOf(cause), 'give a PEM key without a passphrase')]
  }
}

/** What devices will say of the server's certificate: its names, its time, its key. */
export const certificate: Check = (options) => {
  const { dataDirectory, hostNames, nowMs } = options
  const folder = join(dataDirectory, 'certificates')
  const where = options.tlsCertificate ?? join(folder, 'server.pem')
  const expected = `a certificate for ${hostNames.join(', ')}`
  if (!existsSync(where)) {
    if (options.tlsCertificate !== undefined) {
      return [problem(where, expected, 'no such file', 'correct --tls-cert')]
    }
    const found = 'none yet; one is made on first start'
    return [finding('certificate', { state: 'ok', where, expected, found })]
  }
  let parsed: X509Certificate
  try {
    parsed = new X509Certificate(readFileSync(where))
  } catch (cause) {
    return [problem(where, 'a PEM certificate', reasonOf(cause), 'give the certificate as PEM')]
  }
  const missing = hostNames.filter(
    (name) => (isIP(name) === 0 ? parsed.checkHost(name) : parsed.checkIP(name)) === undefined,
  )
  const ours = `remove ${folder} to have one made for these names (devices must trust it anew)`
  const names = missing.map((name) =>
    problem(
      where,
      `a certificate for ${name}`,
      `one for ${namesOf(parsed)}`,
      `devices that connect to ${name} refuse it; ${
        options.tlsCertificate === undefined
          ? `give one with --tls-cert, or ${ours}`
          : 'have that name put into it'
      }`,
    ),
  )
  const keyPath = options.tlsKey ?? join(folder, 'server.key')
  return [...names, ...matching(parsed, where, keyPath), ...validity(parsed, where, nowMs)]
}
