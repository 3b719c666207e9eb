import { describe, expect, it } from 'vitest'
import type { LogRecord, NewRecord } from '../contracts/index.ts'
import { liveReading } from './live-reading.ts'
import { isRepeated } from './recent-events.ts'
import { createSensorPlans } from './sensor-plan.ts'
import { deviceRow, hourMs, logRecord, minuteMs, startMs, testFleet } from './test-support.ts'

const plans = createSensorPlans(testFleet)
const plan = plans(deviceRow('D-1'))

function read(
  readings: Readonly<Record<string, unknown>>,
  changes: Partial<NewRecord> = {},
  nowMs = startMs + 1_000,
) {
  const record: LogRecord = {
    ...logRecord('D-1', startMs, readings, changes),
    partition: 0,
    offset: 0,
  }
  return liveReading(record, plan, nowMs)
}

function body(payload: string, changes: object = {}): NewRecord['body'] {
  return {
    kind: 'readable',
    format: 'wide',
    deviceTimeMs: startMs,
    payload: Buffer.from(payload),
    ...changes,
  }
}

describe('a log record as the rules see it (SRV-14, ING-44)', () => {
  it('skips nulls, values below range, and values above range that no rule judges', () => {
    const values = (readings: Record<string, unknown>) => read(readings)?.values
    expect(values({ temperature: 20, pressure: null })).toEqual({ temperature: 20 })
    expect(values({ temperature: -41, pressure: -1 })).toEqual({})
    expect(values({ temperature: 400 })).toEqual({ temperature: 400 })
    const unjudged = createSensorPlans({ ...testFleet, streamRules: [] })(deviceRow('D-1'))
    const record = { ...logRecord('D-1', startMs, { temperature: 61 }), partition: 0, offset: 0 }
    expect(liveReading(record, unjudged, startMs)?.values).toEqual({})
  })

  it('takes 0 and 1 for booleans and nothing but numbers for gauges', () => {
    expect(read({ door_open: 1, temperature: '20' })?.values).toEqual({ door_open: true })
    expect(read({ door_open: 2, temperature: [20] })?.values).toEqual({})
  })

  it('adds the atmosphere to gauge pressures (CON-4)', () => {
    const gauge = plans(deviceRow('D-1', { pressure_reference: 'gauge' }))
    const record = { ...logRecord('D-1', startMs, { pressure: 100 }), partition: 0, offset: 0 }
    expect(liveReading(record, gauge, startMs)?.values.pressure).toBeCloseTo(201.325, 9)
  })

  it('reads a narrow message, and leaves out one the device calls bad', () => {
    const narrow = (quality: string) =>
      body(`{"sensor_type":"temperature","value":21.5,"quality":"${quality}"}`, {
        format: 'narrow',
      })
    expect(read({}, { body: narrow('good') })?.values).toEqual({ temperature: 21.5 })
    expect(read({}, { body: narrow('bad') })?.values).toEqual({})
  })

  it('may not fire on a reading that arrived, or was measured, over ten minutes ago (ING-20)', () => {
    expect(read({}, {}, startMs + 500 + 10 * minuteMs)?.mayFire).toBe(true)
    expect(read({}, {}, startMs + 501 + 10 * minuteMs)?.mayFire).toBe(false)
    const buffered = { ingestedAtMs: startMs + 10 * minuteMs + 1 }
    expect(read({}, buffered, startMs + 10 * minuteMs + 2)).toMatchObject({
      mayFire: false,
      timeMs: startMs,
    })
  })

  it('trusts the gateway clock over a device clock that is wrong, unless sent_at proves it', () => {
    const ingestedAtMs = startMs + 48 * hourMs
    expect(read({}, { ingestedAtMs })?.timeMs).toBe(ingestedAtMs)
    const sent = new Date(ingestedAtMs - minuteMs).toISOString()
    const flush = { ingestedAtMs, body: body(`{"readings":{},"sent_at":"${sent}"}`) }
    expect(read({}, flush)?.timeMs).toBe(startMs)
    expect(read({}, { ingestedAtMs: startMs - 6 * minuteMs })?.timeMs).toBe(startMs - 6 * minuteMs)
  })

  it('gives nothing for a refused record or a payload that is no JSON object', () => {
    const refused = {
      kind: 'refused',
      reason: 'INVALID_JSON',
      detail: '',
      payload: new Uint8Array(),
    } as const
    expect(read({}, { body: refused })).toBeUndefined()
    expect(read({}, { body: body('{"readings":') })).toBeUndefined()
    expect(read({}, { body: body('7') })).toBeUndefined()
    expect(read({}, { body: body('{"readings":null}') })?.values).toEqual({})
  })
})

describe('repeated events', () => {
  it('are known among the last sixteen of a device', () => {
    const events: number[] = []
    const id = (index: number) => `${String(index).padStart(8, '0')}-0000-5000-8000-000000000000`
    expect(isRepeated(events, id(0))).toBe(false)
    for (let index = 1; index < 16; index++) expect(isRepeated(events, id(index))).toBe(false)
    expect(isRepeated(events, id(0))).toBe(true)
    expect(isRepeated(events, id(16))).toBe(false)
    expect(isRepeated(events, id(0))).toBe(false)
    expect(events).toHaveLength(16)
  })
})
