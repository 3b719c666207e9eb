import type { DeviceRow, FleetSimulator } from '../../contracts/index.ts'

const minuteMs = 60_000

function row(deviceId: string): DeviceRow {
  return {
    device_id: deviceId,
    status: 'active',
    site_id: 'site',
    site_name: 'Site',
    region: 'region',
    model: 'model',
    equipment_class: 'counter',
    climate_zone: null,
    customer_tier: null,
    cohort_id: null,
    install_date: null,
    firmware_version: null,
    expected_sensors: null,
    reporting_interval_s: 60,
    timezone: 'UTC',
    timestamp_mode: 'utc',
    pressure_reference: 'absolute',
    valid_from: 0,
    valid_to: null,
  }
}

/**
 * The smallest fleet that shows what publishing must keep: each device counts its minutes since
 * the physics began, `silent` says nothing, `held` delivers half an hour late.
 */
export const countingFleet: FleetSimulator = {
  modes: ['silent', 'held'].map((name) => ({
    ...{ name, title: name, hoursToFailure: 0, noticedBy: 'silence', failsUnit: false },
  })),
  devices: ({ count, idPrefix = 'C' }) =>
    Array.from({ length: count }, (_, index) => row(`${idPrefix}-${index}`)),
  device: ({ device, seed, faults }) => {
    let count = 0
    const deviceId = device.device_id
    return {
      deviceId,
      step(timeMs) {
        const n = count++
        const active = faults.filter(({ onsetMs }) => onsetMs <= timeMs).map(({ mode }) => mode)
        if (active.includes('silent')) return undefined
        const delayMs = 1000 + ((n * 7919 + seed) % 9000)
        const releaseMs = Math.max(0, ...faults.map(({ onsetMs }) => onsetMs + 30 * minuteMs))
        const heldMs = active.includes('held') ? releaseMs + n - timeMs : 0
        const payload = JSON.stringify({ device_id: deviceId, n, timestamp: timeMs })
        const late = Math.max(delayMs, heldMs)
        return { deviceId, messageId: `m-${n}`, timeMs, delayMs: late, payload }
      },
    }
  },
  planFaults: () => [],
}
