import { useEffect, useRef, useState } from 'preact/hooks'
import type { FleetRow, Health } from '../view/fleet-rows.ts'
import { cellAt, type Honeycomb, honeycomb } from '../view/honeycomb.ts'

const healthNames = ['healthy', 'offline', 'warning', 'critical'] as const

type Palette = Readonly<Record<Health | 'ink' | 'muted' | 'surface', string>>

function paletteOf(element: HTMLElement): Palette {
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  return {
    healthy: colour('--cell-healthy'),
    offline: colour('--cell-offline'),
    warning: colour('--cell-warning'),
    critical: colour('--cell-critical'),
    ink: colour('--ink'),
    muted: colour('--muted'),
    surface: colour('--surface'),
  }
}

/** One path for all cells of a state: thousands of cells are four fills. */
function cellPath(path: Path2D, health: Health, x: number, y: number, radius: number): void {
  const r = health === 'critical' ? radius * 1.02 : radius * 0.9
  if (health === 'warning') {
    path.moveTo(x, y - r)
    path.lineTo(x + r * 0.95, y + r * 0.75)
    path.lineTo(x - r * 0.95, y + r * 0.75)
    path.closePath()
    return
  }
  const corners = health === 'critical' ? 4 : 6
  for (let corner = 0; corner < corners; corner++) {
    const angle = (Math.PI * 2 * corner) / corners - Math.PI / 2
    const px = x + r * Math.cos(angle)
    const py = y + r * Math.sin(angle)
    if (corner === 0) path.moveTo(px, py)
    else path.lineTo(px, py)
  }
  path.closePath()
}

function draw(canvas: HTMLCanvasElement, comb: Honeycomb, palette: Palette, hover: number): void {
  const scale = devicePixelRatio
  canvas.width = Math.round(comb.width * scale)
  canvas.height = Math.round(comb.height * scale)
  const context = canvas.getContext('2d')
  if (context === null) return
  context.scale(scale, scale)
  context.font = `600 12px ${getComputedStyle(canvas).fontFamily}`
  context.fillStyle = palette.muted
  for (const label of comb.labels) {
    context.fillText(fitted(context, label.text, label.width), label.x, label.y + 13)
  }
  for (const health of healthNames) {
    const path = new Path2D()
    comb.rows.forEach((row, index) => {
      if (row.health !== health) return
      cellPath(path, health, comb.x[index] ?? 0, comb.y[index] ?? 0, comb.radius)
    })
    if (health === 'offline') {
      context.strokeStyle = palette.offline
      context.lineWidth = Math.max(1, comb.radius / 6)
      context.stroke(path)
    } else {
      context.fillStyle = palette[health]
      context.fill(path)
    }
  }
  if (hover >= 0) {
    context.strokeStyle = palette.ink
    context.lineWidth = 2
    context.beginPath()
    context.arc(comb.x[hover] ?? 0, comb.y[hover] ?? 0, comb.radius * 1.25, 0, Math.PI * 2)
    context.stroke()
  }
}

function fitted(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text
  let cut = text
  while (cut.length > 1 && context.measureText(`${cut}…`).width > width) cut = cut.slice(0, -1)
  return `${cut}…`
}

/** The picture of all units. The list beside it says the same to a screen reader. */
export function CombCanvas(props: {
  readonly rows: readonly FleetRow[]
  readonly isDark: boolean
  readonly label: string
  readonly onOpen: (row: FleetRow) => void
}) {
  const holder = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const [width, setWidth] = useState(0)
  const [hover, setHover] = useState(-1)
  const comb = useRef<Honeycomb>(undefined)
  if (width > 0 && (comb.current?.width !== width || comb.current.source !== props.rows)) {
    comb.current = honeycomb(props.rows, width)
  }
  useEffect(() => {
    const element = holder.current
    if (element === null) return
    const observer = new ResizeObserver(([entry]) => {
      setWidth(Math.floor(entry?.contentRect.width ?? 0))
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  useEffect(() => {
    // `isDark` changes the palette that is read from the style sheet.
    if (canvas.current === null || comb.current === undefined) return
    draw(canvas.current, comb.current, paletteOf(canvas.current), hover)
  }, [width, props.rows, props.isDark, hover])
  const cellOf = (event: MouseEvent) =>
    comb.current === undefined ? -1 : cellAt(comb.current, event.offsetX, event.offsetY)
  const row = comb.current?.rows[hover]
  const x = comb.current?.x[hover] ?? 0
  const y = comb.current?.y[hover] ?? 0
  return (
    <div ref={holder} class="comb">
      <canvas
        ref={canvas}
        role="img"
        aria-label={props.label}
        style={{ width: `${width}px`, height: `${comb.current?.height ?? 0}px` }}
        class={hover >= 0 ? 'over' : ''}
        onPointerMove={(event) => setHover(cellOf(event))}
        onPointerLeave={() => setHover(-1)}
        onClick={(event) => {
          const found = comb.current?.rows[cellOf(event)]
          if (found !== undefined) props.onOpen(found)
        }}
      />
      {row !== undefined && (
        <div
          class="comb-tip"
          style={{ left: `${Math.min(x, Math.max(0, width - 200))}px`, top: `${y + 18}px` }}
        >
          <strong>{row.deviceId}</strong>
          <span>
            {row.siteName} · {row.model}
          </span>
          <span>
            {row.health}
            {row.score === null ? '' : ` · score ${row.score.toFixed(2)}`}
          </span>
        </div>
      )}
    </div>
  )
}
