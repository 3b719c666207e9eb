import { createHmac } from 'node:crypto'

/**
 * The shared access signature with which a device proves who it is, ING-5.
 * @param options.host gateway name the token is for, for example `gw.example.com`
 * @param options.key device key, base64
 * @param options.expiresAtS end of validity, seconds since 1970
 */
export function createSasToken(options: {
  readonly host: string
  readonly deviceId: string
  readonly key: string
  readonly expiresAtS: number
}): string {
  const { host, deviceId, key, expiresAtS } = options
  const resource = encodeURIComponent(`${host}/devices/${deviceId}`)
  const signature = createHmac('sha256', Buffer.from(key, 'base64'))
    .update(`${resource}\n${expiresAtS}`)
    .digest('base64')
  return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiresAtS}`
}
