/** Presets of the device page. */
export const rangePresets = ['6h', '24h', '7d'] as const

/** The time range of a page: a preset that ends now, or fixed instants. */
export type TimeRange =
  | { readonly kind: 'preset'; readonly preset: (typeof rangePresets)[number] }
  | { readonly kind: 'fixed'; readonly fromMs: number; readonly toMs: number }

const hourMs = 3_600_000

const presetMs: Readonly<Record<(typeof rangePresets)[number], number>> = {
  '6h': 6 * hourMs,
  '24h': 24 * hourMs,
  '7d': 168 * hourMs,
}

/** The range a page opens with. */
export const defaultRange: TimeRange = { kind: 'preset', preset: '24h' }

/** Presets move in steps of a minute, so that a page asks once a minute and not each second. */
const stepMs = 60_000

/** The instants of a range, end exclusive. */
export function rangeBounds(
  range: TimeRange,
  nowMs: number,
): { readonly fromMs: number; readonly toMs: number } {
  if (range.kind === 'fixed') return { fromMs: range.fromMs, toMs: range.toMs }
  const toMs = Math.ceil(nowMs / stepMs) * stepMs
  return { fromMs: toMs - presetMs[range.preset], toMs }
}

/** A range as it stands in the URL; the default leaves no trace. */
export function rangeParameters(range: TimeRange): readonly (readonly [string, string])[] {
  if (range.kind === 'preset') {
    const isDefault = defaultRange.kind === 'preset' && range.preset === defaultRange.preset
    return isDefault ? [] : [['range', range.preset]]
  }
  return [
    ['from', new Date(range.fromMs).toISOString()],
    ['to', new Date(range.toMs).toISOString()],
  ]
}

/** Range of a URL; anything that makes no sense is the default. */
export function rangeOf(parameters: URLSearchParams): TimeRange {
  const fromMs = Date.parse(parameters.get('from') ?? '')
  const toMs = Date.parse(parameters.get('to') ?? '')
  if (fromMs < toMs) return { kind: 'fixed', fromMs, toMs }
  const preset = rangePresets.find((name) => name === parameters.get('range'))
  return preset === undefined ? defaultRange : { kind: 'preset', preset }
}
