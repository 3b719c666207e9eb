import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'

/** PEM texts of a server certificate; `authority` is what devices must trust. */
export type ServerCertificate = {
  readonly key: string
  readonly certificate: string
  readonly authority: string
}

const dayMs = 86_400_000

/**
 * A self-signed certificate for the given host names, made on first use and kept in the folder.
 * For development and closed networks; production brings its own.
 */
export async function developmentCertificate(
  directory: string,
  hostNames: readonly string[],
  nowMs: number,
): Promise<ServerCertificate> {
  const keyPath = join(directory, 'server.key')
  const certificatePath = join(directory, 'server.pem')
  if (!existsSync(keyPath) || !existsSync(certificatePath)) {
    mkdirSync(directory, { recursive: true })
    const altNames = hostNames.map((value) =>
      /^[\d.]+$|:/.test(value) ? ({ type: 7, ip: value } as const) : ({ type: 2, value } as const),
    )
    const made = await generate([{ name: 'commonName', value: hostNames[0] ?? 'localhost' }], {
      keyType: 'ec',
      curve: 'P-256',
      algorithm: 'sha256',
      notBeforeDate: new Date(nowMs - dayMs),
      notAfterDate: new Date(nowMs + 825 * dayMs),
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'subjectAltName', altNames },
      ],
    })
    writeFileSync(keyPath, made.private, { mode: 0o600 })
    writeFileSync(certificatePath, made.cert)
  }
  const certificate = readFileSync(certificatePath, 'utf8')
  return { key: readFileSync(keyPath, 'utf8'), certificate, authority: certificate }
}
