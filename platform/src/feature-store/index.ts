export {
  type AcceptanceReport,
  type AcceptanceRequest,
  type AvailableResult,
  acceptanceReport,
  type FastResult,
} from './acceptance.ts'
export type { GeneralResult, PartGain, PredictiveResult } from './acceptance-judgement.ts'
export {
  type AlarmBook,
  type AlarmEvent,
  nextAlarms,
  type OpenAlarm,
  readAlarmBook,
  storeAlarms,
} from './alarms.ts'
export {
  type BackfillOptions,
  type BackfillOutcome,
  type BackfillPlan,
  backfillHistory,
  planBackfill,
} from './backfill.ts'
export {
  type AlarmSeverity,
  type FeatureFinding,
  type FindingsInput,
  featureFindings,
} from './findings.ts'
export { type ContentHash, historyHash } from './history-hash.ts'
export {
  firstFilledDay,
  type HistorySource,
  historySource,
  requireFilled,
  statesIn,
  statesKnownAt,
} from './history-source.ts'
export { type OnlineFeatures, type OnlineRecord, openOnlineFeatures } from './online.ts'
export type { DayMeans, OnlineRow } from './online-rows.ts'
export {
  type PointInTimeOptions,
  pointInTimeJoin,
  type SpineAnswer,
  type SpineRow,
} from './point-in-time.ts'
export { cleanRetentionDays, type DayRange } from './retention.ts'
export {
  deviceSessions,
  type Session,
  type SessionReading,
  type SessionRequest,
  type SessionRule,
  sessionsOf,
} from './sessions.ts'
export {
  proveOnline,
  type SkewDifference,
  type SkewOptions,
  type SkewVerdict,
  storeVerdict,
} from './skew-proof.ts'
export { type SlidingRequest, type SlidingWindow, slidingWindows } from './sliding-windows.ts'
export { assembleTrainingSet, type TrainingSet, type TrainingSetRequest } from './training-set.ts'
