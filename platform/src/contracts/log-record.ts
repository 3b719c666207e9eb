/** Why a message could not be read, ING-23. */
export const reasonCodes = [
  'INVALID_JSON',
  'DUPLICATE_KEY',
  'INVALID_ENCODING',
  'MISSING_REQUIRED_FIELD',
  'TYPE_MISMATCH',
  'INVALID_TIMESTAMP',
  'IDENTITY_MISMATCH',
  'NO_KNOWN_SENSOR',
  'UNKNOWN_SENSOR_TYPE',
  'UNIT_MISMATCH',
  'UNSUPPORTED_SCHEMA_VERSION',
  'PAYLOAD_TOO_LARGE',
  'EMPTY_PAYLOAD',
  'NESTED_TOO_DEEP',
  'NUMBER_OUT_OF_RANGE',
  'ALL_SENSORS_NULL',
  'RECORD_DAMAGED',
] as const

/** A reason code of a dead letter. */
export type ReasonCode = (typeof reasonCodes)[number]

/** How a message came in. */
export type Protocol = 'mqtt3' | 'mqtt5' | 'https' | 'import' | 'replay'

/**
 * A message body after decoding. A readable one keeps the payload bytes as sent, except that raw
 * line breaks between JSON tokens are blanks (the log is one record per line). A refused one keeps
 * the first 256 KB of whatever came, with the reason.
 */
export type RecordBody =
  | {
      readonly kind: 'readable'
      readonly format: 'wide' | 'narrow'
      /** Device clock, zone-corrected, epoch ms. */
      readonly deviceTimeMs: number
      readonly payload: Uint8Array
      /** Keys no schema knows, as one JSON object of at most 4 KB, ING-7. */
      readonly unmapped?: string
    }
  | {
      readonly kind: 'refused'
      readonly reason: ReasonCode
      /** Path and offending value, at most 1 KB. */
      readonly detail: string
      readonly payload: Uint8Array
    }

/** What the gateway hands to the log: one message with everything only the gateway knows. */
export type NewRecord = {
  /** Authenticated device, also the partition key. */
  readonly deviceId: string
  /** Deterministic id, ING-10. */
  readonly eventId: string
  /** Gateway receive time, epoch ms; the only trusted clock. */
  readonly ingestedAtMs: number
  readonly protocol: Protocol
  readonly messageId?: string
  /**
   * What else came with the message, as one JSON object of texts: application properties by their
   * names, system properties by those of IoT Hub (`$.ct`, `$.cid` ...).
   */
  readonly properties?: string
  readonly body: RecordBody
}

/** A record as read back from the log. */
export type LogRecord = NewRecord & {
  readonly partition: number
  readonly offset: number
}

/** A range of offsets of one partition as files that DuckDB can read directly. */
export type LogSlice = {
  readonly partition: number
  /** First offset in the slice. */
  readonly startOffset: number
  /** One past the last offset. */
  readonly endOffset: number
  /** NDJSON files that hold at least the slice; filter `o` to the bounds. */
  readonly paths: readonly string[]
}

/** Durable, partitioned, append-only log of device messages, ING-15 to ING-22. */
export type DeviceLog = {
  readonly generation: number
  readonly partitionCount: number
  /**
   * Appends records in order; resolves when they are on disk (fdatasync), with the offset of the
   * first. Rejects with `LogFull` or `LogClosed`; then nothing may be acknowledged.
   */
  readonly append: (records: readonly NewRecord[]) => Promise<void>
  /** First offset kept and one past the last durable offset of a partition. */
  readonly bounds: (partition: number) => {
    readonly startOffset: number
    readonly endOffset: number
  }
  /**
   * Files with the records from `startOffset` up to `endOffset`, or to an earlier end that the slice
   * tells: whole segments are not cut. Temporary copies live until `release`.
   */
  readonly slice: (
    partition: number,
    startOffset: number,
    endOffset: number,
  ) => Promise<LogSlice & { readonly release: () => Promise<void> }>
  /** Durable records from an offset on, in order, then live; ends when the signal aborts. */
  readonly follow: (
    partition: number,
    startOffset: number,
    signal: AbortSignal,
  ) => AsyncIterable<readonly LogRecord[]>
  /** Committed position of a consumer group, or undefined, ING-19. */
  readonly position: (group: string, partition: number) => number | undefined
  readonly commitPosition: (group: string, partition: number, offset: number) => Promise<void>
  /** Drops whole segments older than the retention that every group has passed, ING-18. */
  readonly expire: (nowMs: number) => Promise<{ readonly removedSegmentCount: number }>
  readonly close: () => Promise<void>
}
