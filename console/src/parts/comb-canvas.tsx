import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { FleetRow, Health } from '../view/fleet-rows.ts'
import { cellAt, type Honeycomb, honeycomb } from '../view/honeycomb.ts'

const healthNames = ['healthy', 'offline', 'warning', 'critical'] as const

type Palette = Readonly<Record<Health | 'muted', string>>

function paletteOf(element: HTMLElement): Palette {
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  return {
    healthy: colour('--cell-healthy'),
    offline: colour('--cell-offline'),
    warning: colour('--cell-warning'),
    critical: colour('--cell-critical'),
    muted: colour('--muted'),
  }
}

function cellPath(health: Health, radius: number): Path2D {
  const path = new Path2D()
  const r = health === 'critical' ? radius * 1.02 : radius * 0.9
  if (health === 'warning') {
    path.moveTo(0, -r)
    path.lineTo(r * 0.95, r * 0.75)
    path.lineTo(-r * 0.95, r * 0.75)
    path.closePath()
    return path
  }
  const corners = health === 'critical' ? 4 : 6
  for (let corner = 0; corner < corners; corner++) {
    const angle = (Math.PI * 2 * corner) / corners - Math.PI / 2
    path.lineTo(r * Math.cos(angle), r * Math.sin(angle))
  }
  path.closePath()
  return path
}

/**
 * One cell drawn once, to be stamped thousands of times: filling 10,000 shapes as paths takes
 * most of a second without a graphics card, stamping them some 20 ms.
 */
function stamp(health: Health, radius: number, palette: Palette, scale: number): HTMLCanvasElement {
  const size = Math.ceil((2 * radius + 4) * scale)
  const canvas = document.createElement('canvas')
  canvas.width = size
  canvas.height = size
  const context = canvas.getContext('2d')
  if (context === null) return canvas
  context.translate(size / 2, size / 2)
  context.scale(scale, scale)
  const path = cellPath(health, radius)
  if (health === 'offline') {
    context.strokeStyle = palette.offline
    context.lineWidth = Math.max(1, radius / 6)
    context.stroke(path)
  } else {
    context.fillStyle = palette[health]
    context.fill(path)
  }
  return canvas
}

function draw(canvas: HTMLCanvasElement, comb: Honeycomb, palette: Palette): void {
  const scale = devicePixelRatio
  canvas.width = Math.round(comb.width * scale)
  canvas.height = Math.round(comb.height * scale)
  const context = canvas.getContext('2d')
  if (context === null) return
  context.font = `600 ${12 * scale}px ${getComputedStyle(canvas).fontFamily}`
  context.fillStyle = palette.muted
  for (const label of comb.labels) {
    const text = fitted(context, label.text, label.width * scale)
    context.fillText(text, label.x * scale, (label.y + 13) * scale)
  }
  const stamps = new Map(
    healthNames.map((health) => [health, stamp(health, comb.radius, palette, scale)]),
  )
  comb.rows.forEach((row, index) => {
    const image = stamps.get(row.health)
    if (image === undefined) return
    const x = Math.round((comb.x[index] ?? 0) * scale - image.width / 2)
    const y = Math.round((comb.y[index] ?? 0) * scale - image.height / 2)
    context.drawImage(image, x, y)
  })
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
  useLayoutEffect(() => {
    const element = holder.current
    if (element === null) return
    // Known before the first paint, so that what follows the picture does not jump.
    setWidth(Math.floor(element.getBoundingClientRect().width))
    const observer = new ResizeObserver(([entry]) => {
      setWidth(Math.floor(entry?.contentRect.width ?? 0))
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  useEffect(() => {
    // `isDark` changes the palette that is read from the style sheet.
    if (canvas.current === null || comb.current === undefined) return
    draw(canvas.current, comb.current, paletteOf(canvas.current))
  }, [width, props.rows, props.isDark])
  const cellOf = (event: MouseEvent) =>
    comb.current === undefined ? -1 : cellAt(comb.current, event.offsetX, event.offsetY)
  const row = comb.current?.rows[hover]
  const x = comb.current?.x[hover] ?? 0
  const y = comb.current?.y[hover] ?? 0
  const ring = (comb.current?.radius ?? 0) * 1.3
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
          class="comb-ring"
          style={{ left: `${x - ring}px`, top: `${y - ring}px`, width: `${2 * ring}px` }}
        />
      )}
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
