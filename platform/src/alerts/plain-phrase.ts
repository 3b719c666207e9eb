import type { Aggregate, FeatureColumn } from '../contracts/index.ts'

type Direction = 'high' | 'low'

const phrases: Readonly<Record<Aggregate, Readonly<Record<Direction, (label: string) => string>>>> =
  {
    mean: {
      high: (label) => `${label} is higher than usual`,
      low: (label) => `${label} is lower than usual`,
    },
    std: {
      high: (label) => `${label} varies more than usual`,
      low: (label) => `${label} varies less than usual`,
    },
    min: {
      high: (label) => `lowest ${label} is higher than usual`,
      low: (label) => `lowest ${label} is lower than usual`,
    },
    max: {
      high: (label) => `highest ${label} is higher than usual`,
      low: (label) => `highest ${label} is lower than usual`,
    },
    slope: {
      high: (label) => `${label} rises faster than usual`,
      low: (label) => `${label} falls faster than usual`,
    },
    p95: {
      high: (label) => `peaks of ${label} are higher than usual`,
      low: (label) => `peaks of ${label} are lower than usual`,
    },
    fraction: {
      high: (label) => `${label} for more of the time than usual`,
      low: (label) => `${label} for less of the time than usual`,
    },
  }

/** Text with a capital first letter. */
export function asSentenceStart(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** What a feature does, in plain words: "evaporator temperature is higher than usual". */
export function plainPhrase(feature: FeatureColumn, direction: Direction): string {
  if (feature.source.kind === 'aggregate') {
    const { sensor, aggregate } = feature.source
    return phrases[aggregate][direction](sensor.label)
  }
  return phrases.mean[direction](feature.label)
}
