import type { FeaturesView } from 'isotherm/http'
import { type ContributorLine, contributorLine } from './contributor-line.ts'
import { deviation } from './normal-bar.ts'

type FeatureWindow = FeaturesView['windows'][number]

/** A feature with how unusual it is; `unusualness` is in usual spreads, NaN if unknown. */
export type FeatureRow = ContributorLine & {
  readonly unusualness: number
  readonly isOutside: boolean
  readonly isMissing: boolean
}

/** Features of a window, the most unusual first, those without a reference last. */
export function featureRows(window: FeatureWindow): readonly FeatureRow[] {
  return window.features
    .map((feature): FeatureRow => {
      const line = contributorLine(feature)
      const { value, normal } = feature
      return {
        ...line,
        unusualness:
          value === null || normal === null ? Number.NaN : Math.abs(deviation(value, normal)),
        isOutside: line.bar?.isOutside ?? false,
        isMissing: value === null,
      }
    })
    .toSorted(
      (a, b) =>
        Number(b.isOutside) - Number(a.isOutside) ||
        (Number.isNaN(b.unusualness) ? -1 : b.unusualness) -
          (Number.isNaN(a.unusualness) ? -1 : a.unusualness) ||
        a.label.localeCompare(b.label),
    )
}

/** `15 min`, `hour`, `day`: a window length for people. */
export function windowWord(minutes: number): string {
  if (minutes === 60) return 'hour'
  if (minutes === 1440) return 'day'
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${minutes} min`
}
