import { AnomalyError, invalidOption, shapeMismatch } from '../errors.ts'

/** A season as sines and cosines. */
export type FourierSeason = {
  readonly name: string
  readonly periodMs: number
  /** Pairs of sine and cosine: 1 is a plain wave, more follow sharper shapes. */
  readonly order: number
}

/** Days or hours that behave in their own way, each occurrence alike. */
export type Holiday = {
  readonly name: string
  /** Half-open spans [startMs, endMs) of all occurrences, past and future. */
  readonly spans: readonly (readonly [startMs: number, endMs: number])[]
}

/** Named columns known at every time, past and future; each as long as the times. */
export type Regressors = Readonly<Record<string, Float64Array>>

/** Which component a design column belongs to, and how strongly it is held at 0. */
export type DesignColumn = { readonly component: string; readonly priorScale: number }

/** What turns times into design columns; plain data. */
export type AdditiveDesign = {
  readonly startMs: number
  readonly spanMs: number
  /** Times at which the slope may change, as shares of the training span. */
  readonly changePoints: Float64Array
  readonly seasons: readonly FourierSeason[]
  readonly holidays: readonly Holiday[]
  readonly regressorNames: readonly string[]
  readonly regressorMeans: Float64Array
  readonly regressorScales: Float64Array
  readonly columns: readonly DesignColumn[]
}

/** Refuses regressors that do not match the design, or the times. */
export function requireRegressors(
  names: readonly string[],
  regressors: Regressors,
  count: number,
): void {
  for (const name of Object.keys(regressors)) {
    if (!names.includes(name)) throw invalidOption('regressors', `names of ${names}`, name)
  }
  for (const name of names) {
    const values = regressors[name]
    if (values === undefined) throw invalidOption('regressors', `a column ${name}`, 'none')
    if (values.length !== count) throw shapeMismatch(`regressors.${name}`, count, values.length)
    const at = values.findIndex((value) => !Number.isFinite(value))
    if (at >= 0) {
      throw new AnomalyError(
        'NOT_FINITE',
        `additive forecast: regressor ${name}, row ${at} is ${values[at]}, expected a finite number; impute it first`,
        { name, row: at },
      )
    }
  }
}

/** The design row of one time into `row`. Cost O(columns). */
export function fillDesignRow(
  design: AdditiveDesign,
  timeMs: number,
  index: number,
  regressors: Regressors,
  row: Float64Array,
): void {
  const { startMs, spanMs, changePoints, seasons, holidays, regressorNames } = design
  const time = (timeMs - startMs) / spanMs
  row[0] = 1
  row[1] = time
  let at = 2
  for (let i = 0; i < changePoints.length; i++) row[at++] = Math.max(0, time - changePoints[i]!)
  for (const { periodMs, order } of seasons) {
    for (let wave = 1; wave <= order; wave++) {
      // The time since 1970 keeps the phase of a season the same for any training span.
      const angle = 2 * Math.PI * wave * ((timeMs / periodMs) % 1)
      row[at++] = Math.sin(angle)
      row[at++] = Math.cos(angle)
    }
  }
  for (const { spans } of holidays) {
    row[at++] = spans.some(([start, end]) => timeMs >= start && timeMs < end) ? 1 : 0
  }
  for (let i = 0; i < regressorNames.length; i++) {
    const value = regressors[regressorNames[i]!]![index]!
    row[at++] = (value - design.regressorMeans[i]!) / design.regressorScales[i]!
  }
}
