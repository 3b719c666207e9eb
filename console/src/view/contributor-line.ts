import type { Contributor } from 'isotherm/http'
import {
  deviationWords,
  excessText,
  type NormalBar,
  normalBar,
  normalRangeText,
  resolutionOf,
} from './normal-bar.ts'
import { sentenceCase, valueText } from './number-text.ts'

/** One reason as a line: what, how much, what is normal, and the bar beside it. */
export type ContributorLine = {
  readonly feature: string
  readonly label: string
  readonly value: string
  /** `normal 6.1 to 8.9 A`, empty when nothing is known. */
  readonly normal: string
  /** Whose normal it is: `for this unit`, `in the fleet`. */
  readonly scope: string
  /** `+3.2 A`, empty when inside the normal range. */
  readonly excess: string
  /** `clearly above normal`. */
  readonly words: string
  readonly bar: NormalBar | undefined
  readonly hint: string
  /** The whole line for a screen reader. */
  readonly spoken: string
}

const scopeWords = {
  device: 'for this unit',
  cohort: 'for its kind',
  fleet: 'in the fleet',
} as const

type Reason = Pick<Contributor, 'feature' | 'label' | 'unit' | 'value' | 'normal' | 'hint'> & {
  readonly direction?: Contributor['direction']
}

/** Shares are easier to read in percent; the names of such features are fixed by CON-16. */
function inPercent(reason: Reason): Reason {
  if (!/_(fraction|completeness)$/.test(reason.feature)) return reason
  const { value, normal } = reason
  return {
    ...reason,
    unit: '%',
    value: value === null ? null : value * 100,
    normal: normal && {
      ...normal,
      median: normal.median * 100,
      low: normal.low * 100,
      high: normal.high * 100,
      spread: normal.spread * 100,
    },
  }
}

/** Prepares a reason for reading. */
export function contributorLine(reason: Reason): ContributorLine {
  const contributor = inPercent(reason)
  const { feature, unit, value, normal } = contributor
  const label = sentenceCase(contributor.label)
  const hint = contributor.hint ?? ''
  if (value === null || normal === null) {
    const words = contributor.direction == null ? '' : `unusually ${contributor.direction}`
    const text = value === null ? '' : valueText(value, unit)
    const spoken = [label, text, words].filter((part) => part !== '').join(', ')
    return {
      feature,
      label,
      value: text,
      normal: '',
      scope: '',
      excess: '',
      words,
      bar: undefined,
      hint,
      spoken,
    }
  }
  const text = valueText(value, unit, resolutionOf(normal))
  const range = `normal ${normalRangeText(normal, unit)}`
  const scope = scopeWords[normal.scope]
  const words = deviationWords(value, normal)
  return {
    feature,
    label,
    value: text,
    normal: range,
    scope,
    excess: excessText(value, normal, unit),
    words,
    bar: normalBar(value, normal),
    hint,
    spoken: `${label} ${text}, ${words}, ${range} ${scope}`,
  }
}
