import { writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import selfsigned from 'selfsigned'
import type { Server } from './system.ts'

const yearMs = 365 * 86_400_000

/** A certificate authority of our own and a server certificate from it, as files and text. */
export type OwnAuthority = { readonly ca: string; readonly more: readonly string[] }

/** Makes an authority and a certificate for localhost in a folder; `more` are options of `up`. */
export async function ownAuthority(folder: string): Promise<OwnAuthority> {
  const from = new Date(Date.now() - 60_000)
  const validity = { notBeforeDate: from, notAfterDate: new Date(from.getTime() + yearMs) }
  const common = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256', ...validity } as const
  const root = await selfsigned.generate([{ name: 'commonName', value: 'Verify root' }], {
    ...common,
    extensions: [{ name: 'basicConstraints', cA: true, critical: true }],
  })
  const leaf = await selfsigned.generate([{ name: 'commonName', value: 'localhost' }], {
    ...common,
    ca: { key: root.private, cert: root.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
    ],
  })
  const certificate = join(folder, 'verify.pem')
  const key = join(folder, 'verify.key')
  writeFileSync(certificate, leaf.cert)
  writeFileSync(key, leaf.private, { mode: 0o600 })
  return { ca: root.cert, more: ['--tls-cert', certificate, '--tls-key', key] }
}

/** Calls the API of a server whose certificate comes from an authority of our own. */
export function callApi<T>(
  server: Server,
  ca: string,
  method: 'GET' | 'POST' | 'PATCH' | 'PUT',
  path: string,
  body?: unknown,
): Promise<T> {
  const url = new URL(path, server.url)
  url.hostname = 'localhost'
  const headers = {
    authorization: `Bearer ${server.token}`,
    ...(body !== undefined && { 'content-type': 'application/json' }),
  }
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, ca }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => {
        const isFine = (response.statusCode ?? 500) < 300
        if (isFine) resolve(JSON.parse(text) as T)
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`))
      })
    })
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
