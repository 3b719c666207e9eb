/** Bounds of a gateway; every one has a default from ING-6, ING-11 and ING-12. */
export type GatewayLimits = {
  /** Largest payload of one message; default 256 KiB. */
  readonly maxPayloadBytes: number
  /** Payload bytes between arrival and durability, all sessions together; default 64 MB. */
  readonly maxInFlightBytes: number
  /** Messages of one session that are not answered yet; default 16. */
  readonly maxUnacknowledged: number
  /** Lasting rate of one device; default 2/s. */
  readonly deviceMessagesPerSecond: number
  /** Messages a device may send at once after a pause; default 120. */
  readonly deviceBurst: number
  /** Lasting rate of all devices together; default 20,000/s, 12 times the reference fleet's. */
  readonly deploymentMessagesPerSecond: number
  /** Default 40,000, two seconds' worth. */
  readonly deploymentBurst: number
  /** Lasting rate of all devices of one site, the tenant here; default 0, which is no limit. */
  readonly tenantMessagesPerSecond: number
  /** Messages the devices of a site may send at once; default 0: a minute's worth of its rate. */
  readonly tenantBurst: number
  /** New MQTT connections; default 500/s. */
  readonly connectionsPerSecond: number
  /** Longest delay of an answer before the session is closed instead; default 10 s. */
  readonly maxDelayMs: number
  /** Time from TCP connection to CONNECT; default 10 s. */
  readonly connectTimeoutMs: number
  /** A peer that reads nothing for so long is disconnected; default 30 s. */
  readonly slowReaderTimeoutMs: number
  /** MQTT connections of this process; default 20,000. */
  readonly maxConnections: number
  /** Clock difference tolerated after a token's expiry, ING-5; default 60 s. */
  readonly tokenLeewayMs: number
  /** How long a stored message is remembered, so that its repeats are known; default 24 h. */
  readonly duplicateWindowMs: number
  /** Messages remembered at most, at 21 bytes each; default 24 million, 512 MB. */
  readonly maxRememberedMessages: number
  /** Request body over HTTP, also after inflation; default 16 MiB. */
  readonly maxBodyBytes: number
}

export const defaultLimits: GatewayLimits = {
  maxPayloadBytes: 262_144,
  maxInFlightBytes: 64_000_000,
  maxUnacknowledged: 16,
  deviceMessagesPerSecond: 2,
  deviceBurst: 120,
  deploymentMessagesPerSecond: 20_000,
  deploymentBurst: 40_000,
  tenantMessagesPerSecond: 0,
  tenantBurst: 0,
  connectionsPerSecond: 500,
  maxDelayMs: 10_000,
  connectTimeoutMs: 10_000,
  slowReaderTimeoutMs: 30_000,
  maxConnections: 20_000,
  tokenLeewayMs: 60_000,
  duplicateWindowMs: 86_400_000,
  maxRememberedMessages: 24_000_000,
  maxBodyBytes: 16 << 20,
}
