import type { ScoresView } from 'isotherm/http'
import { useMemo, useState } from 'preact/hooks'
import type { Mark } from '../view/chart-series.ts'
import { windowWord } from '../view/feature-rows.ts'
import { scoredWindows, scoreLines } from '../view/score-lines.ts'
import { Empty } from './page-states.tsx'
import { ScoreChart } from './score-chart.tsx'

/** Scores per model for one window length at a time. */
export function ScorePanel(props: {
  readonly scores: ScoresView
  readonly windows: readonly number[]
  readonly range: { readonly fromMs: number; readonly toMs: number }
  readonly marks: readonly Mark[]
  readonly isDark: boolean
}) {
  const lengths = useMemo(
    () => scoredWindows(props.scores, props.windows),
    [props.scores, props.windows],
  )
  const [wanted, choose] = useState<number>()
  const chosen = wanted !== undefined && lengths.includes(wanted) ? wanted : lengths[0]
  const lines = useMemo(
    () => (chosen === undefined ? undefined : scoreLines(props.scores, chosen)),
    [props.scores, chosen],
  )
  if (lines === undefined || lines.lines.length === 0) {
    return (
      <Empty title="No score in this time">
        <p>Scores begin once a model is trained and a window is complete.</p>
      </Empty>
    )
  }
  return (
    <>
      <div class="panel-tools">
        <p class="muted">Above the dashed line a window is flagged. It is no probability.</p>
        {lengths.length > 1 && (
          <fieldset class="segments">
            <legend class="unseen">Window length</legend>
            {lengths.map((minutes) => (
              <button
                key={minutes}
                type="button"
                aria-pressed={minutes === chosen}
                onClick={() => choose(minutes)}
              >
                {windowWord(minutes)}
              </button>
            ))}
          </fieldset>
        )}
      </div>
      <ScoreChart scores={lines} range={props.range} marks={props.marks} isDark={props.isDark} />
    </>
  )
}
