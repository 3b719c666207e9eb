import type { FleetDefinition } from '../contracts/index.ts'
import type { ResolvedMap } from './column-map.ts'
import type { SourceRow } from './source-rows.ts'
import { unitConverter } from './unit-conversion.ts'

/** A row as the message a device would have sent, or the reason it is none. */
export type RowMessage =
  | {
      readonly kind: 'message'
      readonly deviceId: string
      readonly timeMs: number
      readonly payload: string
    }
  | { readonly kind: 'bad'; readonly rowNumber: number; readonly reason: string }

const missing = new Set(['', 'null', 'na', 'n/a', 'nan', '-'])
const truths: Readonly<Record<string, boolean>> = {
  '1': true,
  '1.0': true,
  true: true,
  on: true,
  yes: true,
  '0': false,
  '0.0': false,
  false: false,
  off: false,
  no: false,
}

/** More digits than this say nothing about a sensor, and conversions would print noise. */
const significantDigits = 9

const deviceIdPattern = /^[A-Za-z0-9\-._:]{1,128}$/

type Cell = { readonly value: number | boolean | null } | { readonly fault: string }

/** Compiles the conversion of rows to wide messages (ING-7), units converted. */
export function rowConverter(
  fleet: FleetDefinition,
  map: ResolvedMap,
): (row: SourceRow) => RowMessage {
  const columns = map.sensors.map(({ name, column, unit }) => {
    const sensor = fleet.sensors.find((candidate) => candidate.name === name)!
    const { factor, offset } = unitConverter(sensor, unit)
    const isBoolean = sensor.kind === 'boolean'
    const cell = (raw: string | null): Cell => {
      const trimmed = raw?.trim() ?? ''
      if (missing.has(trimmed.toLowerCase())) return { value: null }
      if (isBoolean) {
        const state = truths[trimmed.toLowerCase()]
        return state === undefined ? { fault: `"${trimmed}" is no state` } : { value: state }
      }
      const number = Number(trimmed)
      if (!Number.isFinite(number)) return { fault: `"${trimmed}" is no number` }
      if (factor === 1 && offset === 0) return { value: number }
      return { value: Number((number * factor + offset).toPrecision(significantDigits)) }
    }
    return { name, column: column.trim(), cell }
  })
  return (row) => {
    const { rowNumber, deviceId, timeMs } = row
    if (deviceId === null || !deviceIdPattern.test(deviceId)) {
      return {
        kind: 'bad',
        rowNumber,
        reason: `device id ${JSON.stringify(deviceId)} is not valid`,
      }
    }
    if (timeMs === null) {
      const hint = map.timestamp.format === undefined ? '; give its format in the map' : ''
      return {
        kind: 'bad',
        rowNumber,
        reason: `${map.timestamp.column.trim()}: ${JSON.stringify(row.timeText)} is no time${hint}`,
      }
    }
    const readings: Record<string, number | boolean> = {}
    for (const [index, { name, column, cell }] of columns.entries()) {
      const read = cell(row.cells[index] ?? null)
      if ('fault' in read) return { kind: 'bad', rowNumber, reason: `${column}: ${read.fault}` }
      if (read.value !== null) readings[name] = read.value
    }
    const timestamp = new Date(timeMs).toISOString()
    const payload = JSON.stringify({ device_id: deviceId, timestamp, readings })
    return { kind: 'message', deviceId, timeMs, payload }
  }
}
