import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Promised } from './promise.ts'
import { isotherm, temporaryFolder } from './system.ts'

const deviceCount = 10_000
const limitSeconds = 5

const digest = (text: string) => createHash('sha256').update(text).digest()

/** A device as an IoT Hub exports it; the kinds of authentication take turns. */
function hubLine(n: number): Readonly<Record<string, unknown>> & { readonly id: string } {
  const hex = digest(`thumbprint ${n}`).toString('hex').toUpperCase()
  const types = ['sas', 'sas', 'selfSigned', 'certificateAuthority', 'none']
  const type = types[n % types.length]
  const key = (which: string) => digest(`${which} ${n}`).toString('base64')
  return {
    id: `dev-${String(n).padStart(6, '0')}`,
    eTag: Buffer.from(String(n + 1)).toString('base64'),
    status: n % 11 === 0 ? 'disabled' : 'enabled',
    statusReason: n % 11 === 0 ? 'in the workshop' : null,
    authentication: {
      type,
      symmetricKey: type === 'sas' ? { primaryKey: key('p'), secondaryKey: key('s') } : null,
      x509Thumbprint:
        type === 'selfSigned'
          ? { primaryThumbprint: hex.slice(0, 40), secondaryThumbprint: hex }
          : { primaryThumbprint: null, secondaryThumbprint: null },
    },
    twinETag: Buffer.from(String((n % 50) + 1)).toString('base64'),
    tags: { site_id: `S-${n % 200}`, crew: { region: 'north', number: n % 7 } },
    properties: {
      desired: { interval: 60, limits: { high: n % 90 }, $metadata: {}, $version: (n % 5) + 1 },
      reported: { firmware: `3.${n % 9}`, $metadata: {}, $version: (n % 8) + 1 },
    },
    capabilities: { iotEdge: false },
  }
}

/** What both sides say of a device, whatever the order of members. */
function sameAs(sent: Readonly<Record<string, unknown>>, line: string): boolean {
  const found = JSON.parse(line) as Readonly<Record<string, unknown>>
  const sorted = (value: unknown): unknown =>
    typeof value !== 'object' || value === null || Array.isArray(value)
      ? value
      : Object.fromEntries(
          Object.entries(value)
            .toSorted(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, item]) => [key, sorted(item)]),
        )
  return Object.keys(sent).every(
    (key) => JSON.stringify(sorted(found[key])) === JSON.stringify(sorted(sent[key])),
  )
}

async function timed(...args: readonly string[]): Promise<number> {
  const start = performance.now()
  const { code, errors } = await isotherm(...args)
  if (code !== 0) throw new Error(`isotherm ${args.join(' ')}: ${errors}`)
  return (performance.now() - start) / 1_000
}

/** The registry of an IoT Hub in and out again, by the commands an operator types. */
export const promised: Promised = {
  id: 'A4',
  title: '10,000 devices are imported from an IoT Hub export and exported equal',
  unit: 's for import and export together',
  bar: '<= 5 s, every member of every device equal, and equal again after a second trip',
  quick: false,
  limitSeconds: 120,
  run: async (report) => {
    const folder = temporaryFolder('a4')
    try {
      const at = (name: string) => join(folder.path, name)
      const lines = Array.from({ length: deviceCount }, (_, n) => hubLine(n))
      writeFileSync(at('hub.ndjson'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
      const data = (name: string) => ['--data', at(name)]
      const importSeconds = await timed('devices', 'import', at('hub.ndjson'), ...data('one'))
      const exportSeconds = await timed('devices', 'export', at('out.ndjson'), ...data('one'))
      report(`import ${importSeconds.toFixed(2)} s, export ${exportSeconds.toFixed(2)} s`)
      const out = readFileSync(at('out.ndjson'), 'utf8')
      const found = out.split('\n').slice(0, -1)
      const different = lines.filter((line, index) => !sameAs(line, found[index] ?? '{}')).length
      await timed('devices', 'import', at('out.ndjson'), ...data('two'))
      await timed('devices', 'export', at('again.ndjson'), ...data('two'))
      const isSameAgain = readFileSync(at('again.ndjson'), 'utf8') === out
      const seconds = importSeconds + exportSeconds
      const isEqual = different === 0 && found.length === deviceCount && isSameAgain
      return {
        ok: isEqual && seconds <= limitSeconds,
        value: Number(seconds.toFixed(2)),
        detail: { importSeconds, exportSeconds, devices: found.length, different, isSameAgain },
      }
    } finally {
      folder.remove()
    }
  },
}
