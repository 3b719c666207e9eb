import type uPlot from 'uplot'
import type { Band, Mark } from '../view/chart-series.ts'

/** Colours of charts, read from the style sheet so that both themes are defined in one place. */
export type ChartColours = {
  readonly line: string
  readonly fill: string
  readonly grid: string
  readonly text: string
  readonly band: string
  readonly bandOther: string
  readonly limit: string
  readonly severity: Readonly<Record<Mark['severity'], string>>
  readonly lines: readonly string[]
  readonly font: string
}

/** Reads the colours in force for an element. */
export function chartColours(element: HTMLElement): ChartColours {
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  return {
    line: colour('--chart-line'),
    fill: colour('--chart-fill'),
    grid: colour('--line'),
    text: colour('--muted'),
    band: colour('--chart-band'),
    bandOther: colour('--chart-band-other'),
    limit: colour('--chart-limit'),
    severity: {
      CRITICAL: colour('--critical'),
      HIGH: colour('--high'),
      MEDIUM: colour('--medium'),
      LOW: colour('--low'),
    },
    lines: [colour('--chart-line'), colour('--chart-second'), colour('--chart-third')],
    font: `11px ${style.fontFamily}`,
  }
}

/** Bands of different kinds get different fills, in the order of their labels. */
export type BandKind = { readonly label: string; readonly bands: readonly Band[] }

/** Paints spans of time behind the series. */
export function drawBands(plot: uPlot, kinds: readonly BandKind[], colours: ChartColours): void {
  const { ctx, bbox } = plot
  ctx.save()
  kinds.forEach(({ bands }, index) => {
    ctx.fillStyle = index === 0 ? colours.band : colours.bandOther
    for (const band of bands) {
      const left = Math.max(bbox.left, plot.valToPos(band.start, 'x', true))
      const right = Math.min(bbox.left + bbox.width, plot.valToPos(band.end, 'x', true))
      if (right > left) ctx.fillRect(left, bbox.top, Math.max(1, right - left), bbox.height)
    }
  })
  ctx.restore()
}

/** Paints a line with a small flag where an alert began. */
export function drawMarks(plot: uPlot, marks: readonly Mark[], colours: ChartColours): void {
  const { ctx, bbox } = plot
  const size = 5 * devicePixelRatio
  ctx.save()
  ctx.lineWidth = devicePixelRatio
  for (const mark of marks) {
    const x = plot.valToPos(mark.at, 'x', true)
    if (x < bbox.left || x > bbox.left + bbox.width) continue
    ctx.strokeStyle = colours.severity[mark.severity]
    ctx.fillStyle = colours.severity[mark.severity]
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    ctx.beginPath()
    ctx.moveTo(x - size, bbox.top)
    ctx.lineTo(x + size, bbox.top)
    ctx.lineTo(x, bbox.top + size * 1.4)
    ctx.fill()
  }
  ctx.restore()
}

/** `14:00`, and the date where a day begins. */
function timeLabel(timeS: number, stepS: number): string {
  const date = new Date(timeS * 1000)
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0
  if (stepS >= 86_400 || isMidnight) {
    return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })
  }
  return date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
}

/** Options that all charts share: fixed time range, one cursor for the page, quiet axes. */
export function commonOptions(
  colours: ChartColours,
  size: { readonly width: number; readonly height: number },
  range: { readonly fromMs: number; readonly toMs: number },
): Pick<uPlot.Options, 'width' | 'height' | 'legend' | 'cursor' | 'scales' | 'padding'> & {
  readonly axes: [uPlot.Axis, uPlot.Axis]
} {
  const axis = { stroke: colours.text, font: colours.font, ticks: { show: false } }
  return {
    width: size.width,
    height: size.height,
    legend: { show: false },
    padding: [8, 14, 0, 0],
    cursor: {
      sync: { key: 'device', setSeries: false },
      drag: { x: false, y: false },
      y: false,
      points: { size: 6 },
    },
    scales: { x: { time: true, range: () => [range.fromMs / 1000, range.toMs / 1000] } },
    axes: [
      {
        ...axis,
        grid: { stroke: colours.grid, width: 1 },
        size: 26,
        space: 64,
        gap: 4,
        values: (_plot, splits, _axis, _space, step) =>
          splits.map((split) => timeLabel(split, step)),
      },
      { ...axis, grid: { stroke: colours.grid, width: 1 }, size: 46, space: 26, gap: 4 },
    ],
  }
}
