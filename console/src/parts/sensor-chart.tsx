import type { FleetView, ReadingsView } from 'isotherm/http'
import { useCallback, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import {
  fractionColumns,
  gaugeColumns,
  hasValues,
  type Mark,
  newestValue,
} from '../view/chart-series.ts'
import { sentenceCase, valueText } from '../view/number-text.ts'
import { clockText } from '../view/time-text.ts'
import { type BandKind, type ChartColours, commonOptions, drawBands, drawMarks } from './plot.ts'
import { usePlot } from './use-plot.ts'

type Sensor = FleetView['sensors'][number]
type Range = { readonly fromMs: number; readonly toMs: number }

function gaugeOptions(colours: ChartColours): Pick<uPlot.Options, 'series' | 'bands'> {
  const edge = { stroke: 'transparent', width: 0, points: { show: false } }
  return {
    series: [
      {},
      { stroke: colours.line, width: 1.25, points: { show: false } },
      { ...edge },
      { ...edge },
    ],
    bands: [{ series: [3, 2], fill: colours.fill }],
  }
}

function stateOptions(colours: ChartColours): Pick<uPlot.Options, 'series'> {
  const paths = uPlot.paths.stepped?.({ align: 1 })
  return {
    series: [
      {},
      {
        stroke: colours.line,
        fill: colours.fill,
        width: 1.5,
        points: { show: false },
        ...(paths === undefined ? {} : { paths }),
      },
    ],
  }
}

function textAt(sensor: Sensor, value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  if (sensor.kind !== 'boolean') return valueText(value, sensor.unit, sensor.resolution)
  return value >= 0.999 ? 'on' : value <= 0.001 ? 'off' : `on ${Math.round(value * 100)} %`
}

/** One sensor over time: mean, least and most, with the page's shared cursor. */
export function SensorChart(props: {
  readonly sensor: Sensor
  readonly readings: ReadingsView
  readonly range: Range
  readonly bands: readonly BandKind[]
  readonly marks: readonly Mark[]
  readonly isDark: boolean
}) {
  const { sensor, readings, range, bands, marks, isDark } = props
  const value = useRef<HTMLSpanElement>(null)
  const newest = newestValue(readings, sensor.name)
  const newestText = newest === undefined ? 'no value' : textAt(sensor, newest.value)
  const build = useCallback(
    (size: { width: number; height: number }, colours: ChartColours) => {
      const isState = sensor.kind === 'boolean'
      const columns = isState
        ? fractionColumns(readings, sensor.name)
        : gaugeColumns(readings, sensor.name)
      const common = commonOptions(colours, size, range)
      const scales: uPlot.Scales = isState
        ? { ...common.scales, y: { range: () => [0, 1.05] } }
        : { ...common.scales, y: {} }
      const axes = isState
        ? [common.axes[0], { ...common.axes[1], splits: () => [0, 1], values: () => ['off', 'on'] }]
        : common.axes
      const options: uPlot.Options = {
        ...common,
        ...(isState ? stateOptions(colours) : gaugeOptions(colours)),
        scales,
        axes,
        // The colours were read for this theme; the key makes the dependence visible.
        class: isDark ? 'dark' : 'light',
        hooks: {
          drawClear: [(plot) => drawBands(plot, isState ? [] : bands, colours)],
          draw: [(plot) => drawMarks(plot, marks, colours)],
          setCursor: [
            (plot) => {
              const index = plot.cursor.idx
              const timeS = index == null ? undefined : plot.data[0][index]
              const at = index == null ? undefined : plot.data[1]?.[index]
              if (value.current === null) return
              value.current.textContent =
                timeS === undefined
                  ? newestText
                  : `${clockText(timeS * 1000)}  ${textAt(sensor, at)}`
            },
          ],
        },
      }
      return { options, data: (columns ?? [[], []]) as unknown as uPlot.AlignedData }
    },
    [sensor, readings, range, bands, marks, isDark, newestText],
  )
  const holder = usePlot(build)
  const isPresent = hasValues(readings, sensor.name)
  const spoken =
    newest === undefined ? 'no value in this range' : `${newestText} at ${clockText(newest.atMs)}`
  return (
    <figure class={sensor.kind === 'boolean' ? 'chart state-chart' : 'chart'}>
      <figcaption>
        <span>{sentenceCase(sensor.label)}</span>
        <span class="chart-value" ref={value}>
          {newestText}
        </span>
      </figcaption>
      <div
        ref={holder}
        class="plot"
        role="img"
        aria-label={`${sentenceCase(sensor.label)} over time, ${spoken}`}
      />
      {!isPresent && <p class="no-values">No values in this time</p>}
    </figure>
  )
}
