import { useCallback, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import type { Mark } from '../view/chart-series.ts'
import { scoreText } from '../view/number-text.ts'
import type { ScoreLines } from '../view/score-lines.ts'
import { type ChartColours, commonOptions, drawMarks } from './plot.ts'
import { usePlot } from './use-plot.ts'

const dashes: readonly (readonly number[])[] = [[], [6, 3], [2, 3]]

function drawThreshold(plot: uPlot, threshold: number, colours: ChartColours): void {
  const { ctx, bbox } = plot
  const y = plot.valToPos(threshold, 'y', true)
  ctx.save()
  ctx.strokeStyle = colours.limit
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio])
  ctx.beginPath()
  ctx.moveTo(bbox.left, y)
  ctx.lineTo(bbox.left + bbox.width, y)
  ctx.stroke()
  ctx.restore()
}

/** Scores over time, one line per model, with the line above which a window is flagged. */
export function ScoreChart(props: {
  readonly scores: ScoreLines
  readonly range: { readonly fromMs: number; readonly toMs: number }
  readonly marks: readonly Mark[]
  readonly isDark: boolean
}) {
  const { scores, range, marks, isDark } = props
  const values = useRef<(HTMLSpanElement | null)[]>([])
  const build = useCallback(
    (size: { width: number; height: number }, colours: ChartColours) => {
      const common = commonOptions(colours, size, range)
      const threshold = scores.lines[0]?.threshold
      const options: uPlot.Options = {
        ...common,
        scales: { ...common.scales, y: { range: () => [0, 1.02] } },
        class: isDark ? 'dark' : 'light',
        series: [
          {},
          ...scores.lines.map((line, index) => ({
            label: line.label,
            stroke: colours.lines[index] ?? colours.line,
            width: 2,
            dash: [...(dashes[index] ?? [])],
            spanGaps: true,
            points: { show: scores.times.length < 40, size: 5 },
          })),
        ],
        hooks: {
          draw: [
            (plot) => {
              if (threshold !== undefined) drawThreshold(plot, threshold, colours)
              drawMarks(plot, marks, colours)
            },
          ],
          setCursor: [
            (plot) => {
              const index = plot.cursor.idx
              scores.lines.forEach((line, place) => {
                const element = values.current[place]
                if (element == null) return
                const at = index == null ? line.newest : (line.scores[index] ?? null)
                element.textContent = scoreText(at)
              })
            },
          ],
        },
      }
      const data = [scores.times, ...scores.lines.map((line) => line.scores)]
      return { options, data: data as unknown as uPlot.AlignedData }
    },
    [scores, range, marks, isDark],
  )
  const holder = usePlot(build)
  const spoken = scores.lines.map((line) => `${line.label} ${scoreText(line.newest)}`).join(', ')
  return (
    <figure class="chart score-chart">
      <figcaption>
        <ul class="score-legend">
          {scores.lines.map((line, index) => (
            <li key={line.modelId}>
              <svg viewBox="0 0 24 6" aria-hidden="true" class={`legend-line line-${index}`}>
                <path d="M1 3h22" stroke-dasharray={(dashes[index] ?? []).join(' ')} />
              </svg>
              {line.label}
              <span
                class="chart-value"
                ref={(element) => {
                  values.current[index] = element
                }}
              >
                {scoreText(line.newest)}
              </span>
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={holder} class="plot" role="img" aria-label={`Scores over time: ${spoken}`} />
    </figure>
  )
}
