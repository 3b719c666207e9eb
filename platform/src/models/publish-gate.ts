import { moments, quantile } from '@isotherm/anomaly'
import { IsothermError } from '../contracts/index.ts'
import { FLAG_THRESHOLD, type ModelArtifact } from './artifact.ts'
import { ABSENT_NULL_FRACTION } from './fit-artifact.ts'
import type { ModelMetrics } from './model-manifest.ts'
import type { RowScores } from './score-rows.ts'
import type { TrainingSplit } from './training-split.ts'

/** Validation anomaly rates a model may be published with, MOD-63. */
const rateBounds = { lower: 0.005, upper: 0.2 }

/** Devices from which "null everywhere" says something about the input and not about a device. */
const minFleetDevices = 10

/** Half-width of a 99 % interval in standard errors. */
const z99 = 2.576

function gateFailed(artifact: ModelArtifact, reason: string): IsothermError {
  return new IsothermError(
    'GATE_FAILED',
    `${artifact.modelId}, ${artifact.durationMinutes} min: ${reason}`,
  )
}

/** Share of flagged rows. */
export function anomalyRate(scores: Float64Array): number {
  let flagged = 0
  for (const score of scores) if (score > FLAG_THRESHOLD) flagged++
  return scores.length === 0 ? 0 : flagged / scores.length
}

/**
 * Refuses rows in which a feature the model relies on is gone: null in more than 99 % of them,
 * though in less than half of the training rows (design, invariant 3). Imputing it fleet-wide
 * would turn a dead input into normal scores. With fewer than 10 devices a dead
 * sensor is a matter of one device: imputed, and marked where it counts.
 */
export function requireLiveFeatures(
  artifact: ModelArtifact,
  rows: {
    readonly deviceCount: number
    readonly nullFractions: Readonly<Record<string, number>>
  },
): void {
  const { deviceCount, nullFractions } = rows
  if (deviceCount < minFleetDevices) return
  const dead = artifact.features.filter(
    (name, index) =>
      (nullFractions[name] ?? 0) > ABSENT_NULL_FRACTION && artifact.nullFractions[index]! < 0.5,
  )
  if (dead.length === 0) return
  const details = dead.map((name) => {
    const trained = artifact.nullFractions[artifact.features.indexOf(name)]!
    return `${name} is null in ${percent(nullFractions[name] ?? 0)} of the rows (training: ${percent(trained)})`
  })
  throw gateFailed(
    artifact,
    `${details.join('; ')}; nothing was scored, repair the sensor's path or retrain without it`,
  )
}

/**
 * Gate before a model is registered (MOD-63): finite scores, the same twice, and a validation
 * anomaly rate in 0.5 to 20 %. The rate fails only where chance does not explain it (99 %
 * interval). With less than 10 days of history the validation part is one stretch of one day or
 * two, so there the rate is a warning.
 * @returns warnings for the card
 * @throws IsothermError GATE_FAILED
 */
export function publishGate(
  artifact: ModelArtifact,
  validation: RowScores,
  again: RowScores,
  split: TrainingSplit,
): readonly string[] {
  const scores = validation.scores
  const wrong = scores.findIndex((score) => !(score >= 0 && score <= 1))
  if (wrong >= 0) throw gateFailed(artifact, `validation score ${wrong} is ${scores[wrong]}`)
  if (!Buffer.from(scores.buffer).equals(Buffer.from(again.scores.buffer))) {
    throw gateFailed(artifact, 'two scorings of the validation rows differ; report this as a bug')
  }
  if (scores.length === 0)
    return ['No validation rows: the model has not been tried on unseen data.']
  const rate = anomalyRate(scores)
  const margin = z99 * Math.sqrt(Math.max(rate * (1 - rate), 1 / scores.length) / scores.length)
  const isOutside = rate - margin > rateBounds.upper || rate + margin < rateBounds.lower
  if (!isOutside) return []
  const reason = `${percent(rate)} of ${scores.length} validation rows are flagged, expected ${percent(rateBounds.lower)} to ${percent(rateBounds.upper)}`
  if (split.kind === 'brief') return [`${reason}; the history is too short to tell why.`]
  throw gateFailed(
    artifact,
    `${reason}; look at drift between ${instant(split.trainStartMs)} and ${instant(split.validationEndMs)}, or train on another period`,
  )
}

/** Metrics of MOD-68 that need no labels and no clock. */
export function trainingMetrics(trainingScores: Float64Array, validation: RowScores): ModelMetrics {
  const train = moments(trainingScores)
  const base = {
    anomaly_rate_train: anomalyRate(trainingScores),
    score_mean_train: train.mean,
    score_std_train: train.std,
  }
  const { scores, rawScores } = validation
  if (scores.length === 0) return base
  const held = moments(scores)
  return {
    ...base,
    anomaly_rate_validation: anomalyRate(scores),
    score_mean_validation: held.mean,
    score_std_validation: held.std,
    score_skewness_validation: moments(rawScores).skewness,
    score_p95_validation: quantile(scores, 0.95),
    score_p99_validation: quantile(scores, 0.99),
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

function instant(epochMs: number): string {
  return new Date(epochMs).toISOString()
}
