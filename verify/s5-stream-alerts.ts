import { connect, readingsOf, registerDevices, type TestDevice, topic } from './devices.ts'
import type { Promised } from './promise.ts'
import { freePorts, percentile, startServer, temporaryFolder } from './system.ts'

const deviceCount = 1000

/** A message whose compressor current, defrost state and pressure are as given. */
function reading(
  device: TestDevice,
  timeMs: number,
  more: Readonly<Record<string, unknown>>,
): string {
  const readings = { ...readingsOf(1), ...more }
  return JSON.stringify({
    device_id: device.device_id,
    timestamp: new Date(timeMs).toISOString(),
    readings,
  })
}

type AlertEvent = { readonly device_id?: string; readonly severity?: string }

/** Collects the moment each device's alert arrives on the event stream of the API. */
function watchAlerts(url: string, token: string, seenAt: Map<string, number>): () => void {
  const abort = new AbortController()
  const watch = async () => {
    const response = await fetch(`${url}/api/v1/events`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
      signal: abort.signal,
    })
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of response.body ?? []) {
      rest += decoder.decode(chunk, { stream: true })
      const events = rest.split('\n\n')
      rest = events.pop() ?? ''
      for (const event of events) {
        const data = /^data: ?(.*)$/m.exec(event)?.[1]
        if (data === undefined) continue
        const { alerts = [] } = JSON.parse(data) as { readonly alerts?: readonly AlertEvent[] }
        for (const { severity, device_id: id } of alerts) {
          if (severity !== 'CRITICAL' || id === undefined || seenAt.has(id)) continue
          seenAt.set(id, performance.now())
        }
      }
    }
  }
  watch().catch((error: unknown) => {
    if (!abort.signal.aborted) throw error
  })
  return () => abort.abort()
}

/** From the send of the reading that crosses a rule to the alert in the API. */
export const promised: Promised = {
  id: 'S5',
  title: 'a reading that crosses a stream rule is a CRITICAL alert in the API at once',
  unit: 's at the 99th percentile',
  bar: '<= 1 s over 1,000 firings, none in defrost or at compressor start',
  quick: true,
  limitSeconds: 300,
  run: async (report) => {
    const folder = temporaryFolder('s5')
    try {
      const ids = Array.from({ length: deviceCount }, (_, n) => `RULE-${n}`)
      const quietIds = ['QUIET-DEFROST', 'QUIET-START']
      const devices = await registerDevices(folder.path, [...ids, ...quietIds])
      const [port = 0, mqttPort = 0, mqttsPort = 0] = await freePorts(3)
      const server = await startServer({ data: folder.path, port, mqttPort, mqttsPort })
      const seenAt = new Map<string, number>()
      const stopWatching = watchAlerts(server.url, server.token, seenAt)
      const quiet = devices.slice(deviceCount)
      await sendNegativeControls(quiet, mqttPort)
      const sentAt = new Map<string, number>()
      // Batches of connections at a time: the firings spread over the run as in a real fleet.
      for (let start = 0; start < deviceCount; start += 50) {
        const batch = devices.slice(start, start + 50)
        await Promise.all(
          batch.map(async (device) => {
            const client = await connect(device, { port: mqttPort, version: 5 })
            const nowMs = Date.now()
            await client.publishAsync(
              topic(device.device_id),
              reading(device, nowMs - 60_000, {}),
              { qos: 1 },
            )
            sentAt.set(device.device_id, performance.now())
            const over = reading(device, nowMs, { current_compressor: 45 })
            await client.publishAsync(topic(device.device_id), over, { qos: 1 })
            await client.endAsync()
          }),
        )
      }
      report(`${sentAt.size} readings above the limit sent`)
      const deadline = performance.now() + 20_000
      while (seenAt.size < deviceCount && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      stopWatching()
      const alerts = await server.get<{ readonly alerts: readonly AlertEvent[] }>(
        '/api/v1/alerts?severity=CRITICAL&limit=500',
      )
      await server.stop()
      const false_ = quietIds.filter((id) => seenAt.has(id))
      const delays = [...sentAt].map(
        ([id, sent]) => ((seenAt.get(id) ?? Number.POSITIVE_INFINITY) - sent) / 1000,
      )
      const p99 = percentile(delays, 0.99)
      return {
        ok: p99 <= 1 && false_.length === 0 && alerts.alerts.length > 0,
        value: p99,
        detail: {
          firings: seenAt.size,
          p50: percentile(delays, 0.5),
          max: percentile(delays, 1),
          false: false_,
        },
      }
    } finally {
      folder.remove()
    }
  },
}

/** A defrost with a fast warming coil, and a compressor start that pulls the low side down. */
async function sendNegativeControls(quiet: readonly TestDevice[], port: number): Promise<void> {
  const [defrost, start] = quiet
  if (defrost === undefined || start === undefined) return
  const nowMs = Date.now()
  const send = async (device: TestDevice, rows: readonly Readonly<Record<string, unknown>>[]) => {
    const client = await connect(device, { port, version: 4 })
    for (const [index, row] of rows.entries()) {
      const timeMs = nowMs - (rows.length - index) * 60_000
      await client.publishAsync(topic(device.device_id), reading(device, timeMs, row), { qos: 1 })
    }
    await client.endAsync()
  }
  const running = { current_compressor: 12, pressure_low_side: 200, defrost_cycle: false }
  const off = { current_compressor: 0, vibration_compressor: 0.3, pressure_low_side: 390 }
  await send(defrost, [
    ...Array.from({ length: 3 }, () => running),
    ...[0, 1, 2, 3, 4, 5].map((n) => ({
      ...off,
      defrost_cycle: true,
      temperature_evaporator: -25 + 3 * n,
    })),
  ])
  await send(start, [
    ...Array.from({ length: 4 }, () => off),
    ...[240, 210, 200, 200].map((pressure) => ({ ...running, pressure_low_side: pressure })),
  ])
}
