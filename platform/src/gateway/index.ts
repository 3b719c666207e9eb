export type { BrokerSource, BrokerSourceOptions } from './broker-source.ts'
export type { BatchVerdict } from './collector-batch.ts'
export type { Metric } from './counters.ts'
export {
  compileDecoder,
  type DecodeContext,
  type DecodedMessage,
  type Decoder,
} from './decoder.ts'
export { type DeviceClock, DeviceClocks, type ZoneSuspicion } from './device-clock.ts'
export { DuplicateWindow } from './duplicate-window.ts'
export { eventIdOf } from './event-id.ts'
export { createGateway, type Gateway, type GatewayOptions } from './gateway.ts'
export type { GatewayLogger } from './gateway-core.ts'
export { ingestRoutes } from './http-ingest.ts'
export type { GatewayLimits } from './limits.ts'
export { MemoryDirectory } from './memory-directory.ts'
export type { MqttListener, MqttListenOptions, MqttTls } from './mqtt-listener.ts'
export { hashPassword } from './password.ts'
export type { PresenceEvent } from './presence.ts'
export { signSasToken } from './sas-token.ts'
