export type { BatchEndpoint, Sleep } from './batch-endpoint.ts'
export { type HistoryOptions, type HistorySummary, publishHistory } from './history.ts'
export type { HttpsTransport } from './https-link.ts'
export {
  type CollectorTransport,
  type Injection,
  type LiveOptions,
  type LivePublisher,
  publishLive,
} from './live.ts'
export type { DeviceLogin, MqttTransport } from './mqtt-link.ts'
export type { SendCounts } from './outbox.ts'
export { createSasToken } from './sas-token.ts'
