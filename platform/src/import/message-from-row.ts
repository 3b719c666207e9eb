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

const commaHint = (trimmed: string) =>
  /^[+-]?\d+,\d+$/.test(trimmed) ? "; for decimal commas add --map 'decimal=,'" : ''

const deviceIdPattern = /^[A-Za-z0-9\-._:]{1,128}$/

type Cell = { readonly value: number | boolean | null } | { readonly fault: string }

/** No device that Isotherm is for measured earlier; seconds read as milliseconds end up before it. */
const earliestMs = Date.UTC(1990, 0, 1)

/** Why the time of a row cannot be taken, with what to type, or undefined. */
function faultOfTime(
  { timeText, timeMs }: SourceRow,
  { column, format }: ResolvedMap['timestamp'],
  latestMs: number,
): string | undefined {
  if (timeMs !== null) {
    if (timeMs >= earliestMs && timeMs <= latestMs) return undefined
    const when = `is ${timeMs < earliestMs ? 'before 1990' : 'in the future'} as ${format ?? 'ISO 8601'}`
    return `${when}; check format and time zone in the map`
  }
  if (format !== undefined) return `is no time as ${format}`
  const entry = (name: string) => `--map 'timestamp=${column.trim()}[${name}]'`
  if (/^\d{9,10}(\.\d+)?$/.test(timeText ?? '')) return `is no time; add ${entry('epoch_s')}`
  if (/^\d{12,13}$/.test(timeText ?? '')) return `is no time; add ${entry('epoch_ms')}`
  return `is no time; give its format, such as ${entry('%d.%m.%Y %H:%M')}`
}

/** Compiles the conversion of rows to wide messages (ING-7), units converted. */
export function rowConverter(
  fleet: FleetDefinition,
  map: ResolvedMap,
  latestMs = Number.POSITIVE_INFINITY,
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
      const number = Number(map.decimal === ',' ? trimmed.replace(',', '.') : trimmed)
      if (!Number.isFinite(number))
        return { fault: `"${trimmed}" is no number${commaHint(trimmed)}` }
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
        reason:
          `device id ${JSON.stringify(deviceId)} is not valid: ` +
          'expected 1 to 128 of A-Z a-z 0-9 - . _ :',
      }
    }
    const timeFault = faultOfTime(row, map.timestamp, latestMs)
    if (timeMs === null || timeFault !== undefined) {
      const shown = `${map.timestamp.column.trim()}: ${JSON.stringify(row.timeText)}`
      return { kind: 'bad', rowNumber, reason: `${shown} ${timeFault}` }
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
