/** Decimals that say something: the resolution's, or enough for three significant digits. */
function decimalsFor(value: number, resolution: number): number {
  if (resolution >= 1) return 0
  const ofResolution = Math.ceil(-Math.log10(resolution) - 1e-9)
  const magnitude = Math.abs(value)
  if (magnitude >= 100) return Math.min(ofResolution, 1)
  if (magnitude >= 10) return Math.min(ofResolution, 2)
  return Math.min(ofResolution, 3)
}

/** A number for reading, rounded as finely as its resolution allows; `–` when there is none. */
export function numberText(value: number | null, resolution = 0.1): string {
  if (value === null || !Number.isFinite(value)) return '–'
  const text = Math.abs(value).toFixed(decimalsFor(value, resolution))
  return value < 0 && Number(text) !== 0 ? `−${text}` : text
}

/** A number with its unit; shares are shown in percent. */
export function valueText(value: number | null, unit: string, resolution = 0.1): string {
  if (value === null) return 'no value'
  if (unit === '%') return `${numberText(value, Math.max(resolution, 0.1))} %`
  const text = numberText(value, resolution)
  return unit === '' ? text : `${text} ${unit}`
}

/** A count with thousands separated by a thin space. */
export function countText(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, '\u2009')
}

/** `1 alert`, `2 alerts`. */
export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${countText(count)} ${count === 1 ? noun : many}`
}

/** A score for reading: two decimals, never a percentage, because it is no probability. */
export function scoreText(score: number | null): string {
  return score === null ? '–' : score.toFixed(2)
}

/** First letter in upper case, for labels that open a line. */
export function sentenceCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
