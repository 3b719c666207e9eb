import type { FleetRow } from './fleet-rows.ts'

/** One site's cluster of cells on the picture. */
export type CombLabel = {
  readonly siteId: string
  readonly text: string
  readonly x: number
  readonly y: number
  readonly width: number
}

/** A picture of all units: cell centres in pixels, `radius` for all. */
export type Honeycomb = {
  readonly radius: number
  readonly width: number
  readonly height: number
  readonly x: Float32Array
  readonly y: Float32Array
  /** Row of each cell. */
  readonly rows: readonly FleetRow[]
  /** The rows it was made from. */
  readonly source: readonly FleetRow[]
  readonly labels: readonly CombLabel[]
}

const radii: readonly (readonly [upTo: number, radius: number])[] = [
  [60, 16],
  [200, 13],
  [500, 10],
  [1500, 7],
  [4000, 5],
  [Number.POSITIVE_INFINITY, 3.5],
]

/** Above this many sites their names would be noise; the picture then is one comb. */
const labelledSiteCount = 60

const labelHeight = 22
const clusterGap = 18

function bySite(rows: readonly FleetRow[]): readonly (readonly FleetRow[])[] {
  const sites = new Map<string, FleetRow[]>()
  for (const row of rows) {
    const site = sites.get(row.siteId)
    if (site === undefined) sites.set(row.siteId, [row])
    else site.push(row)
  }
  return [...sites.values()].toSorted((a, b) =>
    (a[0]?.siteName ?? '').localeCompare(b[0]?.siteName ?? ''),
  )
}

/** Columns of a cluster: a little wider than high. */
function clusterColumns(count: number, mostColumns: number): number {
  return Math.max(1, Math.min(mostColumns, Math.ceil(Math.sqrt(count * 1.6))))
}

/**
 * Lays out hexagons by site from left to right, wrapping at `width`. Worst units come first in
 * each site, because `rows` is sorted so. O(rows).
 */
export function honeycomb(rows: readonly FleetRow[], width: number): Honeycomb {
  const radius = radii.find(([upTo]) => rows.length <= upTo)?.[1] ?? 3.5
  const stepX = radius * 1.9
  const stepY = radius * 1.65
  const sites = bySite(rows)
  const isLabelled = sites.length <= labelledSiteCount
  const clusters = isLabelled ? sites : [sites.flat()]
  const mostColumns = Math.max(1, Math.floor((width - radius) / stepX))
  const top = isLabelled && sites.length > 1 ? labelHeight : 0
  const x = new Float32Array(rows.length)
  const y = new Float32Array(rows.length)
  const labels: CombLabel[] = []
  let cell = 0
  let left = 0
  let rowTop = 0
  let rowBottom = 0
  for (const cluster of clusters) {
    const columns = isLabelled ? clusterColumns(cluster.length, mostColumns) : mostColumns
    const lines = Math.ceil(cluster.length / columns)
    const wide = Math.max((columns + 0.5) * stepX, top === 0 ? 0 : 116)
    if (left > 0 && left + wide > width) {
      left = 0
      rowTop = rowBottom + clusterGap
    }
    const first = cluster[0]
    if (top > 0 && first !== undefined) {
      labels.push({ siteId: first.siteId, text: first.siteName, x: left, y: rowTop, width: wide })
    }
    for (let i = 0; i < cluster.length; i++) {
      const line = Math.floor(i / columns)
      x[cell] = left + radius + ((i % columns) + (line % 2) / 2) * stepX
      y[cell] = rowTop + top + radius + line * stepY
      cell++
    }
    rowBottom = Math.max(rowBottom, rowTop + top + lines * stepY + radius)
    left += wide + clusterGap
  }
  return {
    radius,
    width,
    height: Math.ceil(rowBottom + 2),
    x,
    y,
    rows: clusters.flat(),
    source: rows,
    labels,
  }
}

/** Index of the cell at a point, -1 for none. */
export function cellAt(comb: Honeycomb, x: number, y: number): number {
  let nearest = -1
  let nearestSquare = (comb.radius * 1.15) ** 2
  for (let i = 0; i < comb.rows.length; i++) {
    const dx = (comb.x[i] ?? 0) - x
    const dy = (comb.y[i] ?? 0) - y
    const square = dx * dx + dy * dy
    if (square < nearestSquare) {
      nearest = i
      nearestSquare = square
    }
  }
  return nearest
}
