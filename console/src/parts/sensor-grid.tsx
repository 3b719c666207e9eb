import type { ReadingsView } from 'isotherm/http'
import { useMemo } from 'preact/hooks'
import { useConsole } from '../use-console.ts'
import { bandsOf, type Mark } from '../view/chart-series.ts'
import { durationText } from '../view/time-text.ts'
import { Empty } from './page-states.tsx'
import { SensorChart } from './sensor-chart.tsx'

/** All sensors of a unit with one cursor; bands show states such as defrost. */
export function SensorGrid(props: {
  readonly readings: ReadingsView
  readonly range: { readonly fromMs: number; readonly toMs: number }
  readonly marks: readonly Mark[]
  readonly isDark: boolean
}) {
  const { fleet } = useConsole()
  const { readings } = props
  const bands = useMemo(
    () =>
      fleet.bands.map(({ sensor, label }) => ({ label, bands: bandsOf(readings, sensor, label) })),
    [fleet, readings],
  )
  if (readings.times.length === 0) {
    const newest = readings.newest_reading_at
    return (
      <Empty title="No readings in this time">
        <p>
          {newest === null
            ? 'This unit has not sent a reading yet.'
            : `The newest reading is of ${new Date(newest).toLocaleString('en-GB')}.`}
        </p>
      </Empty>
    )
  }
  return (
    <>
      <ul class="band-legend">
        <li>
          <span class="swatch mean" /> mean
        </li>
        <li>
          <span class="swatch range" /> lowest to highest in{' '}
          {durationText(readings.bucket_seconds * 1000)}
        </li>
        {bands.map(({ label }, index) => (
          <li key={label}>
            <span class={`swatch band-${index === 0 ? 'first' : 'other'}`} /> {label}
          </li>
        ))}
      </ul>
      <div class="charts">
        {fleet.sensors.map((sensor) => (
          <SensorChart
            key={sensor.name}
            sensor={sensor}
            readings={readings}
            range={props.range}
            bands={bands}
            marks={props.marks}
            isDark={props.isDark}
          />
        ))}
      </div>
    </>
  )
}
