const quarterMs = 900_000
const dayMs = 86_400_000
/** Offsets remembered per zone; a device sends times close to each other. */
const maxRemembered = 4_096

type Zone = { readonly format: Intl.DateTimeFormat; readonly offsets: Map<number, number> }

/** Offset of a zone from UTC at a UTC instant, in ms. */
function measuredOffset(format: Intl.DateTimeFormat, utcMs: number): number {
  const parts = new Map(format.formatToParts(utcMs).map(({ type, value }) => [type, Number(value)]))
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
  const wall = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  )
  return wall - Math.floor(utcMs / 1_000) * 1_000
}

/** Translates wall-clock times of named zones; remembers offsets by quarter of an hour. */
export class LocalTime {
  readonly #zones = new Map<string, Zone | undefined>()

  /**
   * UTC instant of a wall-clock time, both in ms, or undefined if the zone is unknown. Of the two
   * instants of a repeated hour it is the one nearest to `nearMs`, ING-7; a time that was skipped
   * is read with the offset before the change.
   */
  toUtc(wallMs: number, zoneName: string, nearMs: number): number | undefined {
    const zone = this.#zone(zoneName)
    if (zone === undefined) return undefined
    const before = this.#offset(zone, wallMs - dayMs)
    const after = this.#offset(zone, wallMs + dayMs)
    if (before === after) return wallMs - before
    const early = wallMs - before
    const late = wallMs - after
    const isEarlyReal = this.#offset(zone, early) === before
    const isLateReal = this.#offset(zone, late) === after
    if (isEarlyReal && isLateReal) {
      return Math.abs(early - nearMs) <= Math.abs(late - nearMs) ? early : late
    }
    return isLateReal ? late : early
  }

  #zone(name: string): Zone | undefined {
    if (!this.#zones.has(name)) this.#zones.set(name, openZone(name))
    return this.#zones.get(name)
  }

  /** Zones change their offset on quarters of an hour of UTC. */
  #offset(zone: Zone, utcMs: number): number {
    const quarter = Math.floor(utcMs / quarterMs)
    const known = zone.offsets.get(quarter)
    if (known !== undefined) return known
    const offset = measuredOffset(zone.format, quarter * quarterMs)
    if (zone.offsets.size >= maxRemembered) zone.offsets.clear()
    zone.offsets.set(quarter, offset)
    return offset
  }
}

function openZone(timeZone: string): Zone | undefined {
  try {
    const format = new Intl.DateTimeFormat('en-u-ca-iso8601', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    return { format, offsets: new Map() }
  } catch (error) {
    // The registry names a zone that does not exist: the message is refused, not guessed.
    if (error instanceof RangeError) return undefined
    throw error
  }
}
