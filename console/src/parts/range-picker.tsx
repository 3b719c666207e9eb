import { rangePresets, type TimeRange } from '../view/time-range.ts'

const words: Readonly<Record<(typeof rangePresets)[number], string>> = {
  '6h': '6 hours',
  '24h': '24 hours',
  '7d': '7 days',
}

/** A local time as `datetime-local` wants it. */
function localText(timeMs: number): string {
  const date = new Date(timeMs - new Date(timeMs).getTimezoneOffset() * 60_000)
  return date.toISOString().slice(0, 16)
}

/** Chooses what time the page shows; it stands in the URL. */
export function RangePicker(props: {
  readonly range: TimeRange
  readonly bounds: { readonly fromMs: number; readonly toMs: number }
  readonly change: (range: TimeRange) => void
}) {
  const { range, bounds, change } = props
  const isFixed = range.kind === 'fixed'
  const edit = (end: 'fromMs' | 'toMs', text: string) => {
    const next = { ...bounds, [end]: Date.parse(text) }
    if (next.fromMs < next.toMs) change({ kind: 'fixed', ...next })
  }
  return (
    <div class="range-picker">
      <fieldset class="segments">
        <legend class="unseen">Time range</legend>
        {rangePresets.map((preset) => (
          <button
            key={preset}
            type="button"
            aria-pressed={!isFixed && range.preset === preset}
            onClick={() => change({ kind: 'preset', preset })}
          >
            {words[preset]}
          </button>
        ))}
        <button
          type="button"
          aria-pressed={isFixed}
          onClick={() => change({ kind: 'fixed', ...bounds })}
        >
          Custom
        </button>
      </fieldset>
      {isFixed && (
        <div class="range-custom">
          <label>
            From
            <input
              type="datetime-local"
              value={localText(range.fromMs)}
              onChange={(event) => edit('fromMs', event.currentTarget.value)}
            />
          </label>
          <label>
            To
            <input
              type="datetime-local"
              value={localText(range.toMs)}
              onChange={(event) => edit('toMs', event.currentTarget.value)}
            />
          </label>
        </div>
      )}
    </div>
  )
}
