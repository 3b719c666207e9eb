import { invalidOption, shapeMismatch } from '../errors.ts'
import { fBetaOfRates } from './classification-metrics.ts'

/** One thing that happened, such as a fault, in the time unit of the rows. */
export type LabelledEvent = {
  /** First time at which an alarm counts for it. */
  readonly start: number
  /** Time after which an alarm is too late, inclusive: the failure or its report. */
  readonly end: number
}

/** Outcomes per event and per alarm of one device, or summed over devices. Plain data. */
export type EventCounts = {
  readonly eventCount: number
  /** Events with at least one alarm in their time. */
  readonly detectedCount: number
  /** Alarms: runs of flagged rows. */
  readonly alarmCount: number
  /** Alarms that overlap an event. */
  readonly trueAlarmCount: number
  /** Of each detected event, end − first alarm row in its time; ascending. */
  readonly leadTimes: readonly number[]
}

/** Options of `eventCounts`. */
export type EventOptions = {
  /** Flagged rows at most so far apart in time are one alarm. Default 0: neighbouring rows only. */
  readonly mergeWithin?: number
  /** Rows in these times, ends included, are neither alarms nor misses: repairs, tests. */
  readonly ignored?: readonly LabelledEvent[]
}

/**
 * Counts what an operator counts: events found, alarms raised in vain, warning time. A long event
 * counts once, as does a long alarm.
 *
 * Point-adjusted scores, which credit every row of an event after one hit in it, are not offered: a
 * random detector reaches nearly any F1 under them (Kim et al. 2022, "Towards a rigorous
 * evaluation of time-series anomaly detection").
 * @param times of the rows, strictly ascending, any unit
 * @param flags 1 (flagged) or 0, one per row
 * @param events ascending, without overlap
 * @throws SHAPE_MISMATCH, INVALID_OPTION
 * Cost O(rows + events).
 */
export function eventCounts(
  times: ArrayLike<number>,
  flags: ArrayLike<number>,
  events: readonly LabelledEvent[],
  { mergeWithin = 0, ignored = [] }: EventOptions = {},
): EventCounts {
  if (flags.length !== times.length) throw shapeMismatch('flags.length', times.length, flags.length)
  if (!(mergeWithin >= 0)) throw invalidOption('mergeWithin', '≥ 0', mergeWithin)
  requireOrderedEvents('events', events)
  requireOrderedEvents('ignored', ignored)
  const firstAlarms = events.map(() => Number.NaN)
  let event = 0
  let pause = 0
  let alarmCount = 0
  let trueAlarmCount = 0
  let isTrueAlarm = false
  let lastRow = -1
  let lastTime = Number.NEGATIVE_INFINITY
  let previous = Number.NEGATIVE_INFINITY
  for (let row = 0; row < times.length; row++) {
    const time = times[row]!
    if (!(time > previous)) throw invalidOption(`times[${row}]`, `above ${previous}`, time)
    previous = time
    while (event < events.length && events[event]!.end < time) event++
    while (pause < ignored.length && ignored[pause]!.end < time) pause++
    if (flags[row] !== 1 || isWithin(ignored[pause], time)) continue
    // A run goes on from row to row, or within the merging time.
    if (lastRow !== row - 1 && !(time - lastTime <= mergeWithin)) {
      alarmCount++
      isTrueAlarm = false
    } else if (lastRow < 0) {
      alarmCount++
    }
    lastRow = row
    lastTime = time
    if (!isWithin(events[event], time)) continue
    if (!isTrueAlarm) trueAlarmCount++
    isTrueAlarm = true
    if (Number.isNaN(firstAlarms[event])) firstAlarms[event] = time
  }
  const leadTimes = events
    .flatMap(({ end }, i) => (Number.isNaN(firstAlarms[i]) ? [] : [end - firstAlarms[i]!]))
    .sort((a, b) => a - b)
  return {
    eventCount: events.length,
    detectedCount: leadTimes.length,
    alarmCount,
    trueAlarmCount,
    leadTimes,
  }
}

/** Counts of several devices together. */
export function mergeEventCounts(parts: readonly EventCounts[]): EventCounts {
  const sum = (of: (part: EventCounts) => number) =>
    parts.reduce((total, part) => total + of(part), 0)
  return {
    eventCount: sum((part) => part.eventCount),
    detectedCount: sum((part) => part.detectedCount),
    alarmCount: sum((part) => part.alarmCount),
    trueAlarmCount: sum((part) => part.trueAlarmCount),
    leadTimes: parts.flatMap(({ leadTimes }) => leadTimes).sort((a, b) => a - b),
  }
}

/** Rates of events and alarms. */
export type EventRates = {
  /** True alarms / alarms; 0 without an alarm. */
  readonly precision: number
  /** Detected events / events; 0 without an event. */
  readonly recall: number
  readonly fBeta: number
  /** Middle lead time of the detected events; NaN if none was. */
  readonly medianLeadTime: number
}

/**
 * Event-wise precision, recall, F-beta and warning time.
 * @param beta weight of recall; default 0.5, which favours precision, as for visits that cost
 * @throws INVALID_OPTION
 */
export function eventRates(counts: EventCounts, beta = 0.5): EventRates {
  const precision = counts.alarmCount === 0 ? 0 : counts.trueAlarmCount / counts.alarmCount
  const recall = counts.eventCount === 0 ? 0 : counts.detectedCount / counts.eventCount
  const { leadTimes } = counts
  const half = leadTimes.length >> 1
  const upper = leadTimes[half] ?? Number.NaN
  const lower = leadTimes.length % 2 === 1 ? upper : (leadTimes[half - 1] ?? Number.NaN)
  return {
    precision,
    recall,
    fBeta: fBetaOfRates(precision, recall, beta),
    medianLeadTime: (lower + upper) / 2,
  }
}

function isWithin(event: LabelledEvent | undefined, time: number): boolean {
  return event !== undefined && event.start <= time && time <= event.end
}

function requireOrderedEvents(what: string, events: readonly LabelledEvent[]): void {
  let previousEnd = Number.NEGATIVE_INFINITY
  for (const [i, { start, end }] of events.entries()) {
    if (!(start > previousEnd && end >= start)) {
      throw invalidOption(
        `${what}[${i}]`,
        `a start after ${previousEnd}, end not before it`,
        `${start} to ${end}`,
      )
    }
    previousEnd = end
  }
}
