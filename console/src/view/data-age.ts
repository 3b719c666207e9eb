import type { HealthView } from 'isotherm/http'
import { durationText } from './time-text.ts'

/** How current the page's data is, as a person should be told. */
export type DataAge = {
  readonly state: 'fresh' | 'late' | 'failed' | 'empty'
  /** Short, always shown. */
  readonly text: string
  /** Sentence for the banner; empty while fresh. */
  readonly banner: string
}

/** Readings older than this are late: a device sends each minute, the gateway stores at once. */
const lateReadingMs = 10 * 60_000

const scoreSentences: Readonly<Record<HealthView['score_state'], string>> = {
  fresh: '',
  none: '',
  stale: 'Scores are delayed.',
  very_stale: 'Scores are late; alerts come from fixed limits until scoring is back.',
  expired: 'Scores have expired; alerts come from fixed limits until scoring is back.',
}

/** Tells how old the data is and what is wrong, SRV-35 and OBJ-41. */
export function dataAge(health: HealthView, nowMs: number): DataAge {
  const newestMs = Date.parse(health.newest_reading_at ?? '')
  if (Number.isNaN(newestMs)) {
    return { state: 'empty', text: 'no readings yet', banner: 'No device has sent a reading yet.' }
  }
  const ageMs = Math.max(0, nowMs - newestMs)
  const text = `data ${durationText(ageMs)} old`
  const failed = health.components.filter((component) => component.state === 'failed')
  if (failed.length > 0) {
    const what = failed.map(({ name, detail }) => `${name}: ${detail}`).join('; ')
    return { state: 'failed', text, banner: `A part of Isotherm has failed. ${what}` }
  }
  const sentences = [
    ageMs > lateReadingMs ? `The newest reading is ${durationText(ageMs)} old.` : '',
    scoreSentences[health.score_state],
  ].filter((sentence) => sentence !== '')
  if (sentences.length > 0) return { state: 'late', text, banner: sentences.join(' ') }
  return { state: 'fresh', text, banner: '' }
}
