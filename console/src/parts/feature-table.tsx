import type { FeaturesView } from 'isotherm/http'
import { useMemo, useState } from 'preact/hooks'
import { featureRows, windowWord } from '../view/feature-rows.ts'
import { clockText } from '../view/time-text.ts'
import { Empty } from './page-states.tsx'
import { ValueBar } from './value-bar.tsx'

const firstCount = 8

function WindowTabs(props: {
  readonly minutes: readonly number[]
  readonly chosen: number
  readonly choose: (minutes: number) => void
}) {
  if (props.minutes.length < 2) return null
  return (
    <fieldset class="segments">
      <legend class="unseen">Window length</legend>
      {props.minutes.map((minutes) => (
        <button
          key={minutes}
          type="button"
          aria-pressed={minutes === props.chosen}
          onClick={() => props.choose(minutes)}
        >
          {windowWord(minutes)}
        </button>
      ))}
    </fieldset>
  )
}

/** The newest features of a unit beside what is normal, the most unusual first. */
export function FeatureTable(props: {
  readonly features: FeaturesView
  readonly defaultMinutes: number
}) {
  const windows = props.features.windows
  const lengths = windows.map((window) => window.window_duration_minutes)
  const [chosen, choose] = useState(
    lengths.includes(props.defaultMinutes) ? props.defaultMinutes : (lengths[0] ?? 0),
  )
  const [isAll, setAll] = useState(false)
  const window = windows.find((item) => item.window_duration_minutes === chosen)
  const rows = useMemo(() => (window === undefined ? [] : featureRows(window)), [window])
  if (window === undefined) {
    return (
      <Empty title="No complete window yet">
        <p>The first features appear when a quarter of an hour of readings is complete.</p>
      </Empty>
    )
  }
  const outside = rows.filter((row) => row.isOutside).length
  const shown = isAll ? rows : rows.slice(0, firstCount)
  return (
    <>
      <div class="panel-tools">
        <p class="muted">
          {outside === 0
            ? 'All values are in their normal range.'
            : `${outside} of ${rows.length} outside the normal range.`}{' '}
          {clockText(Date.parse(window.window_start))} to{' '}
          {clockText(Date.parse(window.window_end)).split(' ').at(-1)}
          {window.operating_mode === null ? '' : `, ${window.operating_mode.replaceAll('_', ' ')}`}
        </p>
        <WindowTabs minutes={lengths} chosen={chosen} choose={choose} />
      </div>
      <ul class="features">
        {shown.map((row) => (
          <li key={row.feature} class={row.isOutside ? 'outside' : ''} aria-label={row.spoken}>
            <span class="feature-label">{row.label}</span>
            <span class="feature-value">
              {row.value === '' ? 'no value' : row.value}
              {row.excess !== '' && <em>{row.excess}</em>}
            </span>
            {row.bar === undefined ? <span /> : <ValueBar bar={row.bar} />}
            <span class="feature-normal">
              {row.normal === '' ? row.words : row.normal}
              <span class="scope"> {row.scope}</span>
            </span>
            {row.hint !== '' && <span class="feature-hint">{row.hint}</span>}
          </li>
        ))}
      </ul>
      {rows.length > firstCount && (
        <button type="button" class="button" onClick={() => setAll(!isAll)}>
          {isAll ? 'Show the most unusual only' : `Show all ${rows.length}`}
        </button>
      )}
    </>
  )
}
