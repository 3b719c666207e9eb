const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** A length of time in at most two units: `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`. */
export function durationText(durationMs: number): string {
  const length = Math.max(0, durationMs)
  if (length < minuteMs) return `${Math.floor(length / 1000)} s`
  if (length < hourMs) return `${Math.floor(length / minuteMs)} min`
  if (length < dayMs) {
    const minutes = Math.floor((length % hourMs) / minuteMs)
    const hours = `${Math.floor(length / hourMs)} h`
    return minutes === 0 ? hours : `${hours} ${minutes} min`
  }
  const hours = Math.floor((length % dayMs) / hourMs)
  const days = `${Math.floor(length / dayMs)} d`
  return hours === 0 ? days : `${days} ${hours} h`
}

/** `12 min ago`; everything within ten seconds is `just now`. */
export function agoText(timeMs: number, nowMs: number): string {
  return nowMs - timeMs < 10_000 ? 'just now' : `${durationText(nowMs - timeMs)} ago`
}

/** Time until an alert must be acknowledged, SRV-42. */
export type Countdown = {
  readonly text: string
  readonly urgency: 'calm' | 'soon' | 'overdue' | 'stopped'
}

/** A quarter of an hour before the deadline the countdown asks for attention. */
const soonMs = 15 * minuteMs

/** How long is left, or how long it is over; acknowledging stops the clock, a breach stays. */
export function countdown(
  alert: {
    readonly status: string
    readonly sla_deadline: string
    readonly sla_breached: boolean
    readonly acknowledged_at: string | null
  },
  nowMs: number,
): Countdown {
  const deadlineMs = Date.parse(alert.sla_deadline)
  if (alert.status !== 'OPEN') {
    const text = alert.sla_breached ? 'acknowledged late' : 'acknowledged in time'
    return { text: alert.acknowledged_at === null ? '' : text, urgency: 'stopped' }
  }
  const leftMs = deadlineMs - nowMs
  if (leftMs <= 0) return { text: `${durationText(-leftMs)} overdue`, urgency: 'overdue' }
  return { text: `${durationText(leftMs)} left`, urgency: leftMs <= soonMs ? 'soon' : 'calm' }
}

/** Local date and time, short: `21 Nov 14:05`. */
export function clockText(timeMs: number): string {
  const date = new Date(timeMs)
  const day = date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })
  const time = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
  return `${day} ${time}`
}
