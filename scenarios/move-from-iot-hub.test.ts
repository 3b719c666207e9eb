import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync, type MqttClient } from 'mqtt'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** The guide, as blocks: what is marked `sh` is run, `sh server` is left running. */
const guide = readFileSync(
  join(import.meta.dirname, '..', 'docs', 'guides', 'move-from-iot-hub.md'),
  'utf8',
)
const blocks = [...guide.matchAll(/```sh( server)?\n([\s\S]*?)```/g)].map((found) => ({
  isServer: found[1] !== undefined,
  script: found[2] ?? '',
}))

const program = join(import.meta.dirname, '..', 'platform', 'bin', 'isotherm.js')
const hasTools = ['openssl', 'curl', 'od'].every(
  (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0,
)
const folder = mkdtempSync(join(tmpdir(), 'isotherm-move-'))
const home = join(folder, 'home')
const oldHub = 'old-hub.azure-devices.net'
const keys = Object.fromEntries(
  ['FRIDGE-1', 'FRIDGE-2'].map((id) => [id, randomBytes(32).toString('base64')] as const),
)
const groupKey = randomBytes(64).toString('base64')

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A line of the export as IoT Hub writes it. */
function exported(id: string): string {
  return JSON.stringify({
    id,
    eTag: 'MTIz',
    status: 'enabled',
    authentication: {
      type: 'sas',
      symmetricKey: { primaryKey: keys[id], secondaryKey: randomBytes(32).toString('base64') },
    },
    twinETag: 'AAAAAAAAAAE=',
    tags: { site_id: 'S-1', model: 'CF-200' },
    properties: { desired: { setpoint: -16 }, reported: { firmware: '3.2.1' } },
  })
}

function sasToken(resource: string, key: string, policy = ''): string {
  const sr = encodeURIComponent(resource)
  const se = Math.floor(Date.now() / 1_000) + 3_600
  const text = `${sr}\n${se}`
  const sig = createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64')
  return `SharedAccessSignature sr=${sr}&sig=${encodeURIComponent(sig)}&se=${se}${policy}`
}

let ports: { readonly https: number; readonly mqtts: number }
let server: ChildProcess | undefined
const devices: MqttClient[] = []

/**
 * What a reader's machine has and a test's has not: the name in DNS and the ports of the guide.
 * Commands are those of the guide to the letter; only where they end up is different.
 */
function prepare(): NodeJS.ProcessEnv {
  const bin = join(folder, 'bin')
  for (const path of [bin, home]) mkdirSync(path)
  const listening = `--port ${ports.https} --mqtts-port ${ports.mqtts}`
  writeFileSync(
    join(bin, 'isotherm'),
    `#!/bin/sh
if [ "$1" = up ]; then set -- "$@" ${listening} --commit-seconds 2; fi
if [ "$1" = doctor ]; then set -- "$@" ${listening} --mqtt-port 0; fi
exec "${process.execPath}" "${program}" "$@"
`,
  )
  chmodSync(join(bin, 'isotherm'), 0o755)
  const rule = `gw.example.com:443:127.0.0.1:${ports.https}`
  writeFileSync(join(home, '.curlrc'), `connect-to = "${rule}"\n`)
  writeFileSync(
    join(folder, 'devices.txt'),
    `${['FRIDGE-1', 'FRIDGE-2'].map(exported).join('\n')}\n`,
  )
  writeFileSync(
    join(folder, 'cabinets.json'),
    JSON.stringify({
      attestation: {
        type: 'symmetricKey',
        symmetricKey: { primaryKey: groupKey, secondaryKey: randomBytes(64).toString('base64') },
      },
      enrollmentGroupId: 'cabinets',
    }),
  )
  return { ...process.env, PATH: `${bin}:${process.env.PATH ?? ''}`, HOME: home, CURL_HOME: home }
}

function connected(clientId: string, username: string, password: string, clean: boolean) {
  return connectAsync(`mqtts://127.0.0.1:${ports.mqtts}`, {
    clientId,
    username,
    password,
    clean,
    reconnectPeriod: 0,
    ca: readFileSync(join(folder, 'fleet-ca.pem')),
    // The name in the certificate is checked; only the address is the test's.
    servername: 'gw.example.com',
  })
}

/** FRIDGE-2: an unmodified device of the old hub that answers calls. */
async function startDevice(): Promise<void> {
  const token = sasToken(`${oldHub}/devices/FRIDGE-2`, keys['FRIDGE-2'] ?? '')
  const username = `${oldHub}/FRIDGE-2/?api-version=2021-04-12`
  const device = await connected('FRIDGE-2', username, token, false)
  devices.push(device)
  device.on('message', (topic, payload) => {
    const requestId = /\$rid=([^&]+)/.exec(topic)?.[1] ?? ''
    device.publish(`$iothub/methods/res/200/?$rid=${requestId}`, `{"got":${payload.toString()}}`)
  })
  await device.subscribeAsync('$iothub/methods/POST/#')
}

/** A device that only knows the provisioning service; returns where it is sent. */
async function provision(): Promise<unknown> {
  const id = 'FRIDGE-77'
  const deviceKey = createHmac('sha256', Buffer.from(groupKey, 'base64'))
    .update(id)
    .digest('base64')
  const resource = `0ne00ABC123/registrations/${id}`
  const username = `${resource}/api-version=2019-03-31`
  const token = sasToken(resource, deviceKey, '&skn=registration')
  const client = await connected(id, username, token, true)
  devices.push(client)
  await client.subscribeAsync('$dps/registrations/res/#', { qos: 1 })
  for (let polls = 0, operation = ''; polls < 20; polls++) {
    const answer = new Promise<string>((done) =>
      client.once('message', (_topic, bytes) => done(bytes.toString())),
    )
    const what =
      operation === ''
        ? 'PUT/iotdps-register/?$rid=1'
        : `GET/iotdps-get-operationstatus/?$rid=2&operationId=${operation}`
    await client.publishAsync(`$dps/registrations/${what}`, JSON.stringify({ registrationId: id }))
    const state = JSON.parse(await answer)
    if (state.status === 'assigned') return state.registrationState
    operation = state.operationId
    await new Promise((done) => setTimeout(done, 200))
  }
  return undefined
}

function run(script: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env })
    let text = ''
    const limit = setTimeout(() => child.kill(), 60_000)
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
    }
    child.on('exit', (code) => {
      clearTimeout(limit)
      if (code === 0) resolve(text)
      else reject(new Error(`${script}\nended with ${code}:\n${text}`))
    })
  })
}

async function startServer(script: string, env: NodeJS.ProcessEnv): Promise<void> {
  server = spawn('bash', ['-c', `exec ${script.trim()}`], { cwd: folder, env, stdio: 'ignore' })
  const marker = join(folder, 'isotherm-data', 'server.json')
  for (let waited = 0; !existsSync(marker); waited += 100) {
    if (waited > 60_000 || server.exitCode !== null) throw new Error('isotherm up did not listen')
    await new Promise((done) => setTimeout(done, 100))
  }
}

describe.skipIf(!hasTools)('somebody who moves a fleet from IoT Hub by the guide', () => {
  let env: NodeJS.ProcessEnv
  const said: string[] = []

  beforeAll(async () => {
    ports = { https: await freePort(), mqtts: await freePort() }
    env = prepare()
  })
  afterAll(async () => {
    for (const device of devices) device.end(true)
    if (server !== undefined && server.exitCode === null) {
      server.kill('SIGTERM')
      await once(server, 'exit')
    }
    rmSync(folder, { recursive: true, force: true })
  })

  it('runs every command as it stands', async () => {
    expect(blocks.filter(({ isServer }) => isServer)).toHaveLength(1)
    for (const { isServer, script } of blocks) {
      if (isServer) {
        await startServer(script, env)
        await startDevice()
        continue
      }
      said.push(await run(script, env))
    }
  }, 180_000)

  it('finds what each step promises', () => {
    const all = said.join('\n')
    expect(all).toMatch(/FRIDGE-1/)
    expect(all).toContain('0 failed')
    expect(all).toContain('0ne00ABC123')
    // The message to the device came over HTTPS with its property, and the twin took the change.
    expect(all).toMatch(/iothub-app-reason: ice/i)
    expect(all).toContain('defrost')
    expect(all).toContain('-18')
    // The method was answered by the device with the payload of the call.
    expect(all).toMatch(/200 +\{"got":\{"delay":5\}\}/)
    expect(all).toContain('call method')
    // Keys that were brought along are not shown again.
    for (const key of [groupKey, ...Object.values(keys)])
      expect(all).not.toContain(key.slice(0, 40))
  })

  it('sends a device that asks the provisioning service here, with its old id scope and key', async () => {
    expect(await provision()).toMatchObject({
      deviceId: 'FRIDGE-77',
      assignedHub: 'gw.example.com',
    })
  }, 60_000)

  it('can go back: the export has the keys the hub knew, and the twin as it is now', () => {
    const lines = readFileSync(join(folder, 'back.txt'), 'utf8').trim().split('\n')
    const back = lines.map((line) => JSON.parse(line))
    const first = back.find(({ id }) => id === 'FRIDGE-1')
    expect(first.authentication.symmetricKey.primaryKey).toBe(keys['FRIDGE-1'])
    expect(first.properties.desired.setpoint).toBe(-18)
    expect(first.properties.reported.firmware).toBe('3.2.1')
  })
})
