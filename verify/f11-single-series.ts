import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  NAB_PROFILES,
  type NabSeries,
  nabProbationaryRows,
  nabScore,
  rowWindowsOfTimes,
  scoreSeries,
} from '@isotherm/anomaly'
import type { Promised } from './promise.ts'

const folder = join(import.meta.dirname, '..', '..', 'shared', 'data', 'nab-sample')

/** A row raises an alarm when its score is above one half; NAB counts from its threshold on. */
const ALARM = 0.5 + Number.EPSILON
const MAX_FALSE_ALARMS = 1

/** First and last time of each labelled window, per file. */
type Labels = Readonly<Record<string, readonly (readonly [string, string])[]>>

const timeOf = (text: string) => Date.parse(`${text.replace(' ', 'T')}Z`)

function readSeries(file: string): { readonly times: Float64Array; readonly values: Float64Array } {
  const lines = readFileSync(join(folder, file), 'utf8').trim().split(/\r?\n/).slice(1)
  const cells = lines.map((line) => line.split(','))
  return {
    times: Float64Array.from(cells, ([time = '']) => timeOf(time)),
    values: Float64Array.from(cells, ([, value]) => Number(value)),
  }
}

/** What the detector, with its defaults, makes of one file. */
function judge(file: string, labels: Labels[string]) {
  const { times, values } = readSeries(file)
  const start = performance.now()
  const scores = scoreSeries(times, values)
  const microsecondsPerRow = ((performance.now() - start) * 1000) / values.length
  const windows = rowWindowsOfTimes(
    times,
    (labels ?? []).map(([first, last]) => [timeOf(first), timeOf(last)] as const),
  )
  const series: NabSeries = { scores, threshold: ALARM, windows }
  const alarms = [...scores.keys()].filter((row) => (scores[row] ?? 0) >= ALARM)
  const isInside = (row: number) =>
    windows.some((window) => window.start <= row && row < window.end)
  const probation = nabProbationaryRows(scores.length)
  return {
    file,
    series,
    windows: windows.length,
    hit: windows.filter(({ start: first, end }) => alarms.some((row) => first <= row && row < end))
      .length,
    // Also those in the rows that NAB does not count.
    falseAlarms: alarms.filter((row) => !isInside(row)).length,
    falseAlarmsOnProbation: alarms.filter((row) => !isInside(row) && row < probation).length,
    microsecondsPerRow,
  }
}

/** One live series, one setting for all. */
export const promised: Promised = {
  id: 'F11',
  title: 'the detector of single series on four files of NAB, default options for all',
  unit: 'NAB standard score of the four files together',
  bar: 'each labelled window hit, at most 1 false alarm per file, none in the clean file',
  // The public data is not part of the repository.
  quick: existsSync(folder),
  limitSeconds: 60,
  run: async (report) => {
    if (!existsSync(folder)) {
      return { ok: false, value: 0, detail: { error: 'the public data folder is not there' } }
    }
    const labels = JSON.parse(readFileSync(join(folder, 'windows.json'), 'utf8')) as Labels
    const files = Object.entries(labels).map(([file, windows]) => judge(file, windows))
    const shown = files.map(({ series, ...found }) => ({
      ...found,
      // A file without a window has no normalised score; its raw one is 0 less its false alarms.
      nabStandard: found.windows === 0 ? nabScore([series]).raw : nabScore([series]).normalised,
    }))
    for (const file of shown) report(JSON.stringify(file))
    const all = files.map(({ series }) => series)
    const profiles = Object.fromEntries(
      Object.entries(NAB_PROFILES).map(([name, profile]) => [
        name,
        nabScore(all, profile).normalised,
      ]),
    )
    return {
      ok: files.every(
        ({ windows, hit, falseAlarms }) =>
          hit === windows && falseAlarms <= (windows === 0 ? 0 : MAX_FALSE_ALARMS),
      ),
      value: profiles.standard ?? Number.NaN,
      detail: { files: shown, profiles },
    }
  },
}
