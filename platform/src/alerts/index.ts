export { alertedSpans } from './alerted-spans.ts'
export { type AlertDecision, type AlertInput, decideAlerts } from './decide-alerts.ts'
export {
  type AlertText,
  describeAlert,
  type FeatureIndex,
  indexFeatures,
} from './describe-alert.ts'
export { type FallbackRow, runFallbackRules } from './fallback-rules.ts'
export { type AlertRunOptions, type AlertRunOutcome, runAlerts } from './job.ts'
export { runOfflineRule } from './offline-rule.ts'
export {
  type Contributor,
  type DeviceEvidence,
  ruleModelIds,
  type ScoredWindow,
  type ScoringRun,
} from './scored-window.ts'
export { scoringRunOf } from './scoring-run.ts'
export { runSlaMonitor } from './sla-monitor.ts'
export type { Storm } from './storm.ts'
export type { StreamCounts, ThresholdSource } from './stream-partition.ts'
export { runStreamRules, type StreamRules, type StreamRulesOptions } from './stream-rules.ts'
