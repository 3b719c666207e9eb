/** What is known of a device's clock. */
export type DeviceClock = {
  readonly deviceId: string
  /** Device clock minus ours, ms; positive when the device is ahead. */
  readonly offsetMs: number
  /** How the offset changes, in parts per million; undefined before an hour has passed. */
  readonly driftPpm: number | undefined
  readonly sampleCount: number
  /** Minutes of the zone the clock seems to be in, ING-45; undefined for none. */
  readonly suspectZoneMinutes: number | undefined
  readonly lastMs: number
}

/** Told when a clock begins or ceases to look as if it were in a wrong zone. */
export type ZoneSuspicion = { readonly deviceId: string; readonly minutes: number | undefined }

/** One bucket holds the smallest lag of so much time; messages that waited do not count then. */
const bucketMs = 10 * 60_000
/** Buckets of a device: four hours. */
const bucketCount = 24
/** Buckets a drift needs. */
const minDriftBuckets = 6
/** A fault of zone is a whole number of quarters of an hour, up to 14 h, ING-45. */
const quarterMs = 15 * 60_000
const maxZoneMs = 14 * 3_600_000
const zoneToleranceMs = 5 * 60_000
const zoneMessages = 10
/** An on-line message follows the last one as late by our clock as by the device's, within this. */
const onlineToleranceMs = 20_000

/** So far from its own line a clock has been set, not drifted. */
const setAnewMs = 60_000

type Seen = {
  /** Ingest time and smallest lag of each bucket, a ring. */
  readonly times: Float64Array
  readonly lags: Float64Array
  bucket: number
  used: number
  sampleCount: number
  lastIngestMs: number
  lastDeviceMs: number
  zoneMs: number
  zoneRun: number
  suspectMs: number
}

/** The multiple of a quarter hour near a lag, ms; 0 for none that a wrong zone explains. */
function zoneOf(lagMs: number): number {
  const zoneMs = Math.round(lagMs / quarterMs) * quarterMs
  const isNear = Math.abs(lagMs - zoneMs) <= zoneToleranceMs
  return isNear && Math.abs(zoneMs) <= maxZoneMs ? zoneMs : 0
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/**
 * Offset and drift of device clocks from the messages themselves. A message comes later than it
 * was stamped by its way and its wait, never earlier: the smallest lag of a while is the clock's,
 * as NTP's clock filter takes it (RFC 5905, 10). The drift is the median slope between buckets
 * (Theil and Sen), which a few bad ones do not bend. Nothing is corrected: clocks are only told.
 *
 * Memory: some 450 bytes for each device heard since the start.
 */
export class DeviceClocks {
  readonly #seen = new Map<string, Seen>()
  readonly #listeners = new Set<(suspicion: ZoneSuspicion) => void>()
  #suspectCount = 0

  get suspectCount(): number {
    return this.#suspectCount
  }

  onSuspicion(listener: (suspicion: ZoneSuspicion) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** A message: the device's time of it, and when it came. */
  observe(deviceId: string, deviceMs: number, ingestMs: number): void {
    const lagMs = ingestMs - deviceMs
    let seen = this.#seen.get(deviceId)
    if (seen === undefined) {
      seen = newSeen()
      this.#seen.set(deviceId, seen)
    }
    seen.sampleCount++
    const bucket = Math.floor(ingestMs / bucketMs)
    if (bucket > seen.bucket) {
      seen.bucket = bucket
      seen.used++
      const at = (seen.used - 1) % bucketCount
      seen.times[at] = ingestMs
      seen.lags[at] = lagMs
    } else {
      const at = (seen.used - 1) % bucketCount
      if (lagMs < seen.lags[at]!) {
        seen.times[at] = ingestMs
        seen.lags[at] = lagMs
      }
    }
    this.#watchZone(deviceId, seen, deviceMs, ingestMs)
  }

  /** What is known of a device; undefined before its first message since the start. */
  of(deviceId: string): DeviceClock | undefined {
    const seen = this.#seen.get(deviceId)
    if (seen === undefined) return undefined
    const { sampleCount, suspectMs, lastIngestMs: lastMs } = seen
    const { offsetMs, driftPpm } = estimate(seen)
    const suspectZoneMinutes = suspectMs === 0 ? undefined : -suspectMs / 60_000
    return { deviceId, offsetMs, driftPpm, sampleCount, suspectZoneMinutes, lastMs }
  }

  /** Devices whose clocks are suspected or off by more than a bound, the worst first. */
  worst(options: { readonly overMs: number; readonly limit: number }): readonly DeviceClock[] {
    const found: { readonly deviceId: string; readonly offMs: number }[] = []
    for (const [deviceId, seen] of this.#seen) {
      // Roughly, because a line through every device's buckets would take seconds.
      const offMs = Math.abs(recentLag(seen))
      if (offMs > options.overMs || seen.suspectMs !== 0) found.push({ deviceId, offMs })
    }
    return found
      .toSorted((a, b) => b.offMs - a.offMs)
      .slice(0, options.limit)
      .flatMap(({ deviceId }) => this.of(deviceId) ?? [])
  }

  /** ING-45. A flush of what was kept comes faster than it was measured: it is not on-line. */
  #watchZone(deviceId: string, seen: Seen, deviceMs: number, ingestMs: number): void {
    const stepMs = ingestMs - seen.lastIngestMs - (deviceMs - seen.lastDeviceMs)
    seen.lastIngestMs = ingestMs
    seen.lastDeviceMs = deviceMs
    if (!(Math.abs(stepMs) <= onlineToleranceMs)) {
      seen.zoneRun = 0
      return
    }
    const zoneMs = zoneOf(ingestMs - deviceMs)
    seen.zoneRun = zoneMs === seen.zoneMs ? seen.zoneRun + 1 : 1
    seen.zoneMs = zoneMs
    if (seen.zoneRun < zoneMessages || zoneMs === seen.suspectMs) return
    if (seen.suspectMs === 0) this.#suspectCount++
    if (zoneMs === 0) this.#suspectCount--
    seen.suspectMs = zoneMs
    const minutes = zoneMs === 0 ? undefined : -zoneMs / 60_000
    for (const listener of this.#listeners) listener({ deviceId, minutes })
  }
}

function newSeen(): Seen {
  return {
    times: new Float64Array(bucketCount),
    lags: new Float64Array(bucketCount),
    bucket: Number.NEGATIVE_INFINITY,
    used: 0,
    sampleCount: 0,
    lastIngestMs: Number.NaN,
    lastDeviceMs: Number.NaN,
    zoneMs: 0,
    zoneRun: 0,
    suspectMs: 0,
  }
}

/** Smallest lag of the last three buckets, ms. */
function recentLag({ lags, used }: Seen): number {
  let least = Number.POSITIVE_INFINITY
  for (let n = Math.max(0, used - 3); n < used; n++) least = Math.min(least, lags[n % bucketCount]!)
  return least
}

/**
 * Line through the buckets' smallest lags, read at the newest. Where the line is not known yet the
 * smallest lag of the last three buckets stands for it.
 */
function estimate(seen: Seen): { offsetMs: number; driftPpm: number | undefined } {
  const { times, lags } = seen
  const count = Math.min(seen.used, bucketCount)
  const order = Array.from({ length: count }, (_, n) => (seen.used - count + n) % bucketCount)
  const recent = { offsetMs: -recentLag(seen), driftPpm: undefined }
  if (count < minDriftBuckets) return recent
  const slopes: number[] = []
  for (const [n, from] of order.entries()) {
    for (const to of order.slice(n + 1)) {
      slopes.push((lags[to]! - lags[from]!) / (times[to]! - times[from]!))
    }
  }
  const slope = median(slopes)
  const newestMs = times[order.at(-1) ?? 0] ?? 0
  const level = median(order.map((at) => lags[at]! + slope * (newestMs - times[at]!)))
  // A clock that was set anew no longer lies on the line of before.
  if (Math.abs(level + recent.offsetMs) > setAnewMs) return recent
  return { offsetMs: -level, driftPpm: -slope * 1e6 }
}
