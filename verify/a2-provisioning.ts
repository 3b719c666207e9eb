import { createHmac } from 'node:crypto'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { deviceSdk, type SdkRegistration } from './device-sdk.ts'
import { ownAuthority } from './own-authority.ts'
import type { Promised } from './promise.ts'
import { freePorts, isothermJson, startServer, temporaryFolder } from './system.ts'

const deviceCount = 100
/** Registrations under way at once: the SDK polls, so a few seconds each. */
const laneCount = 25
const mqttsPort = 8883

type Added = { readonly primary_key: string }
type Listed = { readonly id_scope: string }

/** The Azure provisioning client registers a fleet by its group's key, and again after that. */
export const promised: Promised = {
  id: 'A2',
  title:
    'azure-iot-provisioning-device registers 100 devices by group key, twice, over MQTT and TLS',
  unit: 'devices with the same id both times that then connect',
  bar: '100 of 100',
  quick: false,
  limitSeconds: 240,
  run: async (report) => {
    const sdk = deviceSdk()
    if (sdk === undefined) {
      return { ok: false, value: 0, detail: { error: 'not installed: npm run setup:referees' } }
    }
    const folder = temporaryFolder('a2')
    const trusted = getCACertificates('default')
    try {
      const data = ['--data', folder.path, '--fleet', 'refrigeration']
      const [group] = await isothermJson<Added[]>('enrollments', 'add', 'fridges', ...data)
      const [listed] = await isothermJson<Listed[]>('enrollments', 'list', ...data)
      if (group === undefined || listed === undefined) throw new Error('no enrollment')
      const authority = await ownAuthority(folder.path)
      // The provisioning transport has no option for this: devices have it in their system.
      setDefaultCACertificates([...trusted, authority.ca])
      const [port = 0] = await freePorts(1)
      const server = await startServer({
        data: folder.path,
        port,
        mqttPort: 0,
        mqttsPort,
        more: [...authority.more],
      })
      const keyOf = (id: string) =>
        createHmac('sha256', Buffer.from(group.primary_key, 'base64')).update(id).digest('base64')
      const ids = Array.from({ length: deviceCount }, (_, n) => `fridge-${n}`)
      const failures: string[] = []
      const registerAll = async (): Promise<ReadonlyMap<string, SdkRegistration>> => {
        const found = new Map<string, SdkRegistration>()
        const waiting = [...ids]
        const lane = async () => {
          for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
            try {
              const client = sdk.provisioning({
                host: 'localhost',
                idScope: listed.id_scope,
                registrationId: id,
                key: keyOf(id),
              })
              found.set(id, await client.register())
            } catch (error) {
              failures.push(`${id}: ${error}`)
            }
          }
        }
        await Promise.all(Array.from({ length: laneCount }, lane))
        return found
      }
      const first = await registerAll()
      report(`${first.size} registered`)
      const second = await registerAll()
      report(`${second.size} registered again`)
      let connected = 0
      for (const id of ids) {
        const assigned = second.get(id)
        if (assigned === undefined || assigned.deviceId !== first.get(id)?.deviceId) continue
        const parts = [
          `HostName=${assigned.assignedHub}`,
          `DeviceId=${assigned.deviceId}`,
          `SharedAccessKey=${keyOf(id)}`,
        ]
        const client = sdk.Client.fromConnectionString(parts.join(';'), sdk.Mqtt)
        client.on('error', (error) => failures.push(`${id}: ${error}`))
        await client.setOptions({ ca: authority.ca })
        await client.open()
        await client.close()
        connected += 1
      }
      await server.stop()
      return {
        ok: connected === deviceCount,
        value: connected,
        detail: { failures: failures.slice(0, 5) },
      }
    } finally {
      setDefaultCACertificates(trusted)
      folder.remove()
    }
  },
}
