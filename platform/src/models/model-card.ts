import type { ModelManifest } from './model-manifest.ts'

const notMeasured = 'not yet measured'

function day(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 16).replace('T', ' ')
}

function table(rows: readonly (readonly [string, string | number])[]): string {
  return ['| | |', '| --- | --- |', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join(
    '\n',
  )
}

function percent(share: number | undefined): string {
  return share === undefined ? notMeasured : `${(100 * share).toFixed(2)} %`
}

const families = {
  isolation_forest: 'isolation forest over all features of the fleet',
  robust_baseline:
    'robust z-scores against the device’s own history, else its cohort, else the fleet',
  knn_distance: 'mean distance to the most similar healthy rows',
} as const

const splitNotes = {
  full: 'Regular split of 90 days: training, 7 days gap, 21 days validation.',
  short: 'Less than 90 days of history: shortened split with the regular gap of 7 days.',
  reduced:
    'Less than 30 days of history: gap of one day, short validation. Retrain when there is more.',
  brief: 'Less than 10 days of history: no gap, the last fifth validates. Scores are provisional.',
} as const

/** Card of a model version, MOD-69: what it is, what it saw, how far to trust it. */
export function modelCard(manifest: ModelManifest): string {
  const { spec, split, training, validation, metrics, exclusions, imputation } = manifest
  const { features, absentFeatures, calibrations } = manifest
  const sections = [
    `# ${manifest.modelId} ${manifest.modelVersion}, ${manifest.durationMinutes}-minute windows`,
    `Flags unusual windows: ${families[spec.kind]}. A score says "look here"; it is no failure probability.`,
    ...manifest.warnings.map((warning) => `> **Note.** ${warning}`),
    '## Training data',
    table([
      ['trained', `${day(manifest.trainedAtMs)} UTC`],
      ['snapshot', manifest.snapshotId],
      [
        'training',
        `${day(training.startMs)} to ${day(training.endMs)}, ${training.rowCount} rows, ${training.deviceCount} devices`,
      ],
      [
        'validation',
        `${day(validation.startMs)} to ${day(validation.endMs)}, ${validation.rowCount} rows, ${validation.deviceCount} devices`,
      ],
      [
        'excluded',
        `${percent(exclusions.excludedFraction)} of ${exclusions.totalBefore}: completeness ${exclusions.lowCompleteness}, readings ${exclusions.lowReading}, quality flags ${exclusions.highQualityFlags}, maintenance ${exclusions.postMaintenance}, alerts ${exclusions.alerted}, out of service ${exclusions.outOfService}`,
      ],
      ['dropped by cleaning', manifest.cleaningDroppedRows],
      ['dropped as mostly imputed', imputation.droppedMostlyImputed + imputation.droppedUnfillable],
    ]),
    splitNotes[split.kind],
    '## Model',
    table([
      ['features', `${features.length}: ${features.join(', ')}`],
      ['absent in this fleet', absentFeatures.join(', ') || 'none'],
      ['hyper-parameters', JSON.stringify(spec)],
      ['seed', manifest.seed],
      [
        'imputation',
        `${imputation.methods.join(', then ')}; values carried at most ${imputation.carryLimitHours} h`,
      ],
      ['contamination', percent(spec.contamination)],
      ['threshold', manifest.threshold],
      ...Object.entries(calibrations).map(([scope, { anchors, rowCount }]): [string, string] => [
        `anchors, ${scope}`,
        `${anchors.map((anchor) => anchor.toPrecision(6)).join(', ')} (${rowCount} rows)`,
      ]),
    ]),
    '## Metrics',
    table([
      ['flagged in training', percent(metrics.anomaly_rate_train)],
      ['flagged in validation', percent(metrics.anomaly_rate_validation)],
      ['skewness of the raw score', metrics.score_skewness_validation?.toFixed(2) ?? notMeasured],
      ['expert precision@50', notMeasured],
      ['maintenance lift', notMeasured],
      ['median lead time', notMeasured],
      ['flag flip rate', notMeasured],
    ]),
    'Precision and recall are unknown: there are no failure labels yet.',
    '## Limits',
    '- Rows below 0.5 sensor completeness are not scored; below 0.7 confidence is low.\n- A fault present through most of the training period counts as normal.\n- A flag that rests on a count of readings or on an imputed value is marked as a matter of data.',
    '## Operation',
    table([
      ['fallback', 'limit rules when scores are older than 2 hours'],
      ['content hash', manifest.contentHash],
      ['code', manifest.codeVersion],
      ['runtime', manifest.runtimeVersion],
    ]),
  ]
  return `${sections.join('\n\n')}\n`
}
