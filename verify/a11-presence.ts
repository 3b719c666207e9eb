import { exampleFleet, newDevice } from 'isotherm/contracts'
import { createGateway, MemoryDirectory, signSasToken } from 'isotherm/gateway'
import { openLog } from 'isotherm/log'
import { connectAsync, type MqttClient } from 'mqtt'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const deviceCount = 10
const hours = 24
const renewalMinutes = 45
const intervalMs = 60_000
const host = 'gw.example.com'
const key = Buffer.alloc(32, 7).toString('base64')

/** A day of a fleet that renews its tokens, on a clock of our own, and then silence. */
export const promised: Promised = {
  id: 'A11',
  title: 'tokens renewed every 45 minutes for a simulated day, then silence',
  unit: 'intervals until silence was told, the slowest device',
  bar: '<= 2, and no device offline or silent before',
  quick: false,
  limitSeconds: 120,
  run: async (report) => {
    const folder = temporaryFolder('a11')
    let nowMs = Date.UTC(2026, 1, 15)
    const clock = () => nowMs
    const directory = new MemoryDirectory()
    const ids = Array.from({ length: deviceCount }, (_, n) => `REF-${n}`)
    for (const id of ids) {
      const device = newDevice({ device_id: id, valid_from: 0, reporting_interval_s: 60 })
      const credentials = [{ kind: 'sas', primaryKey: key, secondaryKey: key }] as const
      directory.set({ device, credentials })
    }
    const log = openLog({ directory: folder.path, clock, tickMs: 1 })
    const limits = { connectionsPerSecond: 1e6 }
    const gateway = createGateway({
      log,
      directory,
      fleet: exampleFleet,
      hostNames: [host],
      clock,
      limits,
    })
    const early: string[] = []
    const silentAtMs = new Map<string, number>()
    let isSilence = false
    gateway.onPresence(({ deviceId, kind, atMs }) => {
      if (isSilence && kind === 'stopped reporting') silentAtMs.set(deviceId, atMs)
      else if (!isSilence && kind !== 'online') early.push(`${deviceId} ${kind}`)
    })
    const { port } = await gateway.listenMqtt({ port: 0, host: '127.0.0.1' })
    const connect = (deviceId: string): Promise<MqttClient> =>
      connectAsync(`mqtt://127.0.0.1:${port}`, {
        clientId: deviceId,
        username: `${host}/${deviceId}/?api-version=2021-04-12`,
        password: signSasToken({ hostName: host, deviceId, key, expiresAtMs: nowMs + 3_600_000 }),
        clean: false,
        reconnectPeriod: 0,
      })
    const clients = new Map<string, MqttClient>()
    try {
      for (const id of ids) clients.set(id, await connect(id))
      let renewalCount = 0
      for (let minute = 1; minute <= hours * 60; minute++) {
        nowMs += intervalMs
        for (const [n, id] of ids.entries()) {
          if ((minute + n) % renewalMinutes === 0) {
            await clients.get(id)?.endAsync()
            gateway.core.presence.sweep(nowMs + 20_000)
            clients.set(id, await connect(id))
            renewalCount += 1
          }
        }
        const timestamp = new Date(nowMs).toISOString()
        await Promise.all(
          ids.map((id) =>
            clients
              .get(id)
              ?.publishAsync(
                `devices/${id}/messages/events/`,
                JSON.stringify({ device_id: id, timestamp, readings: {} }),
                { qos: 1 },
              ),
          ),
        )
        gateway.core.presence.sweep(nowMs)
      }
      report(`${renewalCount} renewals, ${early.length} false events`)
      isSilence = true
      const lastMs = nowMs
      for (let second = 0; second < 180; second++) {
        nowMs += 1_000
        gateway.core.presence.sweep(nowMs)
      }
      const slowest = Math.max(...ids.map((id) => silentAtMs.get(id) ?? Number.POSITIVE_INFINITY))
      const intervals = (slowest - lastMs) / intervalMs
      return {
        ok: early.length === 0 && intervals <= 2,
        value: Math.round(intervals * 100) / 100,
        detail: { renewalCount, falseEvents: early.length, silentDevices: silentAtMs.size },
      }
    } finally {
      for (const client of clients.values()) client.end(true)
      await gateway.close()
      await log.close()
      folder.remove()
    }
  },
}
