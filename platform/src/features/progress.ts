import type { Snapshot } from '@isotherm/delta'
import type { JobContext, LakeTable } from '../lake/index.ts'
import type { Provenance } from './algebra/feature-query.ts'
import type { FeatureSource } from './emission.ts'
import { completePosition, finalPosition, lateFinalPosition, positionMs } from './positions.ts'
import {
  emittedUntil,
  type FinalBounds,
  finalUntil,
  lateCreationMs,
  type WindowRule,
} from './window-rules.ts'

/** Everything the parts of one run share. */
export type Run = {
  readonly context: JobContext
  readonly source: FeatureSource
  readonly features: LakeTable
  /** Version of the feature definitions. */
  readonly version: string
}

/** Progress of one duration: where it stands and how far this run may go. */
export type Progress = FinalBounds & {
  readonly rule: WindowRule
  /** Windows ending by then are in the table; undefined before the first run. */
  readonly completeMs: number | undefined
  /** Windows ending by then may be written now. */
  readonly untilMs: number
  /** What was final before this run. */
  readonly before: FinalBounds
}

const never = Number.NEGATIVE_INFINITY

/** Progress of a duration from the positions in the table and how far arrival has come. */
export function progressOf(
  rule: WindowRule,
  features: Snapshot,
  watermarkMs: number | undefined,
  finishUntilMs: number | undefined,
): Progress {
  const at = (appId: string) => positionMs(features, appId) ?? never
  const before = {
    finalUntilMs: at(finalPosition(rule.minutes)),
    lateFinalUntilMs: at(lateFinalPosition(rule.minutes)),
  }
  const final = (graceMs: number) => finalUntil(rule, graceMs, watermarkMs, finishUntilMs) ?? never
  const completeMs = positionMs(features, completePosition(rule.minutes))
  return {
    rule,
    completeMs,
    untilMs: Math.max(completeMs ?? never, emittedUntil(rule, watermarkMs, finishUntilMs) ?? never),
    finalUntilMs: Math.max(before.finalUntilMs, final(rule.graceMs)),
    lateFinalUntilMs: Math.max(
      before.lateFinalUntilMs,
      final(Math.max(lateCreationMs, rule.graceMs)),
    ),
    before,
  }
}

/** What rows of a duration say about this run. */
export function provenanceOf(run: Run, progress: Progress): Provenance {
  const { finalUntilMs, lateFinalUntilMs } = progress
  return {
    rule: progress.rule,
    featureVersion: run.version,
    cleanVersion: run.source.cleanSnapshot.version,
    nowMs: run.context.nowMs,
    finalUntilMs: Math.max(0, finalUntilMs),
    lateFinalUntilMs: Math.max(0, lateFinalUntilMs),
  }
}

/** Positions that record what is final after this run. */
export function finalPositions({ rule, finalUntilMs, lateFinalUntilMs }: Progress) {
  return [
    { appId: finalPosition(rule.minutes), version: finalUntilMs / 1000 },
    { appId: lateFinalPosition(rule.minutes), version: lateFinalUntilMs / 1000 },
  ]
}
