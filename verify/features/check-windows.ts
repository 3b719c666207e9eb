import type { DuckDBConnection } from '@duckdb/node-api'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import {
  type Dialect,
  duckdbDialect,
  featureQuery,
  liveSeriesFeature,
  seriesQuery,
  windowAccumulator,
  windowRules,
  windowSumsQuery,
} from 'isotherm/features'
import type { Comparison } from './comparison.ts'
import { naiveCorrelation, naiveSpectrum, naiveStarts } from './naive-series.ts'
import { naiveWindow } from './naive-windows.ts'
import type { Reading } from './random-readings.ts'

type Span = { readonly startMs: number; readonly endMs: number }
type Row = Readonly<Record<string, unknown>>

async function rowsOf(connection: DuckDBConnection, query: string): Promise<readonly Row[]> {
  return (await connection.runAndReadAll(query)).getRowObjectsJS()
}

const keyOf = (device: string, startMs: number) => `${device} at ${startMs}`

/** Readings of each window, in order of time. */
function windowsOf(readings: readonly Reading[], lengthMs: number) {
  return Map.groupBy(readings, ({ device, at }) =>
    keyOf(device, Math.floor(at / lengthMs) * lengthMs),
  )
}

/** The two queries of stored features in one dialect. */
export function storedQueries(dialect: Dialect, minutes: number, span: Span) {
  const rule = windowRules(refrigeration).find((one) => one.minutes === minutes)
  if (rule === undefined) throw new Error(`no windows of ${minutes} min`)
  const provenance = {
    ...{ rule, featureVersion: 'test', cleanVersion: 1, nowMs: span.endMs },
    ...{ finalUntilMs: span.endMs, lateFinalUntilMs: span.endMs },
  }
  const tables = { sums: 'window_sums', ownSensors: 'own_sensors' }
  return {
    sums: windowSumsQuery(dialect, refrigeration, { relation: 'clean', rule, ...span }),
    rows: featureQuery(dialect, refrigeration, tables, provenance),
  }
}

/** The 45 stored features: SQL and live form to the bit, both against the naive form. */
export async function checkStored(
  connection: DuckDBConnection,
  readings: readonly Reading[],
  span: Span,
  comparison: Comparison,
): Promise<void> {
  const accumulator = windowAccumulator(refrigeration)
  for (const { minutes, lengthMs } of windowRules(refrigeration)) {
    const queries = storedQueries(duckdbDialect, minutes, span)
    await connection.run(`CREATE OR REPLACE TEMP TABLE window_sums AS ${queries.sums}`)
    const rows = await rowsOf(
      connection,
      `SELECT *, epoch_ms(window_start)::DOUBLE AS start_ms FROM (${queries.rows})`,
    )
    const windows = windowsOf(readings, lengthMs)
    comparison.same(`windows of ${minutes} min`, rows.length, windows.size)
    for (const row of rows) {
      const startMs = Number(row.start_ms)
      const key = keyOf(String(row.device_id), startMs)
      const own = windows.get(key) ?? []
      const states = own.map(({ at, values, isFlagged }) =>
        accumulator.update(accumulator.empty, { timeMs: at, values, isFlagged }),
      )
      const live = accumulator.finish(states.reduceRight(accumulator.merge, accumulator.empty))
      for (const [name, wanted] of Object.entries(naiveWindow(own, startMs))) {
        const what = `${name}, ${minutes} min, ${key}`
        comparison.close(what, row[name], wanted, 4000)
        comparison.same(`${what}, live`, live[name], row[name])
      }
    }
  }
}

/** What FEA-33 and FEA-38 give for one window, by feature name. */
function naiveSeries(own: readonly Reading[], startMs: number, minutes: number) {
  const spectra = (
    [
      ['current_compressor', 0.1],
      ['vibration_compressor', 0.05],
    ] as const
  ).flatMap(([sensor, floor]) => {
    const [entropy, frequency, ratio] = naiveSpectrum(own, sensor, floor, startMs, minutes)
    return [
      [`${sensor}_spectral_entropy`, entropy],
      [`${sensor}_dominant_freq`, frequency],
      [`${sensor}_short_cycle_ratio`, ratio],
    ] as const
  })
  const [current, vibration] = [
    ['current_compressor', 0.1],
    ['vibration_compressor', 0.05],
  ] as const
  const [evaporator, condenser] = [
    ['temperature_evaporator', 0.1],
    ['temperature_condenser', 0.1],
  ] as const
  return new Map<string, number | null | undefined>([
    ...spectra,
    ['corr_current_vibration', naiveCorrelation(own, current, vibration)],
    ['corr_evap_cond', naiveCorrelation(own, evaporator, condenser)],
    ['compressor_starts', naiveStarts(own)],
  ])
}

const seriesFeatures = (refrigeration.modelFeatures ?? []).flatMap((definition) => {
  const { formula } = definition
  return formula.kind === 'correlation' || formula.kind === 'spectral' || formula.kind === 'starts'
    ? [{ ...definition, formula }]
    : []
})

/** Queries of the features of single readings in one dialect. */
export function seriesQueries(dialect: Dialect, minutes: number, span: Span) {
  return seriesFeatures.map(({ name, ...rest }) => {
    const selection = { relation: 'clean', minutes, ...span }
    return [name, seriesQuery(dialect, refrigeration, { name, ...rest }, selection)] as const
  })
}

/** The experimental features of single readings: SQL, live form and naive form. */
export async function checkSeries(
  connection: DuckDBConnection,
  readings: readonly Reading[],
  minutes: number,
  span: Span,
  comparison: Comparison,
): Promise<void> {
  const windows = windowsOf(readings, minutes * 60_000)
  const wanted = new Map(
    [...windows].map(([key, own]) => [
      key,
      naiveSeries(own, Number(key.split(' at ')[1]), minutes),
    ]),
  )
  for (const [name, query] of seriesQueries(duckdbDialect, minutes, span)) {
    const formula = seriesFeatures.find((one) => one.name === name)?.formula
    if (formula === undefined) continue
    const rows = await rowsOf(
      connection,
      `SELECT device_id, start_ms::DOUBLE AS start_ms, value::DOUBLE AS value FROM (${query})`,
    )
    const found = new Map(
      rows.map((row) => [keyOf(String(row.device_id), Number(row.start_ms)), row.value]),
    )
    for (const [key, own] of windows) {
      const sorted = own
        .map(({ at, values, isFlagged }) => ({ timeMs: at, values, isFlagged }))
        .toSorted((a, b) => a.timeMs - b.timeMs)
      const naive = wanted.get(key)?.get(name)
      comparison.close(`${name}, ${minutes} min, ${key}`, found.get(key), naive, 1)
      const live = liveSeriesFeature(refrigeration, formula, minutes, sorted)
      comparison.close(`${name}, ${minutes} min, ${key}, live`, live, naive, 1)
    }
  }
}
