export {
  type ApiToken,
  type Authentication,
  checkOpenMode,
  localOperator,
  tokenHash,
} from './authentication.ts'
export type { ServerEvent } from './event-hub.ts'
export { createHttpServer, type HttpServer, type HttpServerOptions } from './http-server.ts'
export type { Identity } from './identity.ts'
export type { Problem } from './problem.ts'
export { ledgerView } from './routes/ledger-routes.ts'
export type {
  AlertActionPath,
  AlertDetail,
  AlertPage,
  AlertView,
  Contributor,
  HistoryEntry,
} from './schemas/alert-schema.ts'
export type { ClockListView, DeviceClockView } from './schemas/clock-schema.ts'
export type { ContractDetailView, ContractListView } from './schemas/contract-schema.ts'
export type {
  LetterCounts,
  LetterDetail,
  LetterList,
  ReplayReply,
} from './schemas/dead-letter-schema.ts'
export type {
  CommandsView,
  MethodAnswer,
  QueuedMessages,
  TwinView,
} from './schemas/device-hub-schema.ts'
export type { DevicePage, DeviceView, Overview, SiteView } from './schemas/device-schema.ts'
export type { FeatureCatalogueView, FeatureDetailView } from './schemas/feature-schema.ts'
export type { FleetView } from './schemas/fleet-schema.ts'
export type { ComponentState, HealthView, MeView } from './schemas/health-schema.ts'
export type { LedgerView } from './schemas/ledger-schema.ts'
export type { DevicePresenceView } from './schemas/presence-schema.ts'
export {
  type GateEntryView,
  gateEntryView,
  type QualityPart,
  type QualityView,
  qualityView,
  type SensorListView,
  sensorListView,
} from './schemas/quality-schema.ts'
export type { FeaturesView, ReadingsView, ScoresView } from './schemas/series-schema.ts'
