/** Zones are a multiple of a quarter of an hour, at most 14 h, from UTC. */
const stepUs = 15 * 60 * 1_000_000
const maxSteps = 56
/** Distance from the multiple that is still this zone. */
const nearUs = 5 * 60 * 1_000_000
/** A right clock at sending means a flushed buffer: the reading is old, the zone is right, ING-44. */
const trustUs = 5 * 60 * 1_000_000
/** How far arrival lies behind device time, microseconds. */
export const offset = '(epoch_us(timestamp_ingested) - epoch_us(timestamp_device))'
/** The offset in quarters of an hour. */
export const steps = `round(${offset} / ${stepUs})`

/** Cheap test that every such message passes: the smallest zone less the distance allowed. */
export const mayBeZoneOff = `abs(${offset}) >= ${stepUs - nearUs}`

/** SQL test of a message whose clock is off by about a zone. */
export const isZoneOff = `(abs(${steps}) BETWEEN 1 AND ${maxSteps}
  AND abs(${offset} - ${steps} * ${stepUs}) <= ${nearUs}
  AND (sent_at IS NULL OR abs(epoch_us(timestamp_ingested) - epoch_us(sent_at)) > ${trustUs}))`
