import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'

const main = join(import.meta.dirname, 'main.ts')

function doctor(...options: readonly string[]) {
  return spawnSync(process.execPath, [main, 'doctor', '--time-server', 'none', ...options], {
    encoding: 'utf8',
  })
}

it('ends with 1 and tells in words and in JSON what is wrong, and where', async () => {
  const data = mkdtempSync(join(tmpdir(), 'isotherm-doctor-'))
  onTestFinished(() => rmSync(data, { recursive: true, force: true }))
  const secret = join(data, 'secret.key')
  writeFileSync(secret, Buffer.alloc(32))
  const ports = ['--mqtt-port', '0', '--mqtts-port', '0', '--port', '0']
  chmodSync(secret, 0o600)
  // A fleet of the package's own is not known to a bare checkout: a file stands for any fleet.
  const fleet = join(data, 'fleet.ts')
  writeFileSync(fleet, `export { exampleFleet } from 'isotherm/contracts'\n`)
  const common = ['--data', data, '--fleet', fleet, '--devices', '1']
  const well = doctor(...common, ...ports)
  expect({ status: well.status, errors: well.stderr }).toEqual({ status: 0, errors: '' })
  expect(well.stdout).toContain('0 failed')

  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  chmodSync(secret, 0o644)
  writeFileSync(fleet, 'export const fleet = unheardOf\n')
  const ill = doctor(...common, '--port', String(port), ...ports.slice(0, 4), '--json')
  expect(ill.status).toBe(1)
  const failed = JSON.parse(ill.stdout).filter(({ state }: { state: string }) => state === 'failed')
  expect(
    failed.map(({ check, where }: { check: string; where: string }) => [check, where]),
  ).toEqual([
    ['secrets', secret],
    ['port', `127.0.0.1:${port}`],
    ['fleet', fleet],
  ])
  const words = doctor(...common, '--port', String(port), ...ports.slice(0, 4))
  expect(words.stdout).toContain('FAILED   secrets')
  expect(words.stdout).toContain(`to do:    chmod 600 ${secret}`)
})
