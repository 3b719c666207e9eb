/** Whether the sender of a cloud-to-device message wants to know what became of it. */
export type FeedbackWish = 'none' | 'positive' | 'negative' | 'full'

/** A message to a device, as its sender gives it. */
export type NewCloudMessage = {
  /** At most 128 characters; one is made if it is missing. */
  readonly messageId?: string
  readonly correlationId?: string
  readonly userId?: string
  readonly contentType?: string
  readonly contentEncoding?: string
  /** Application properties. */
  readonly properties?: Readonly<Record<string, string>>
  /** Default none. */
  readonly ack?: FeedbackWish
  /** Default one hour after it was queued; one minute to two days. */
  readonly timeToLiveMs?: number
  /** At most 64 KiB. */
  readonly payload: Uint8Array
}

/** A queued message to a device. */
export type CloudMessage = Omit<NewCloudMessage, 'timeToLiveMs'> & {
  readonly messageId: string
  readonly properties: Readonly<Record<string, string>>
  readonly ack: FeedbackWish
  /** Grows with every message of the deployment. */
  readonly sequenceNumber: number
  readonly enqueuedAtMs: number
  readonly expiresAtMs: number
  /** How often it was handed out before. */
  readonly deliveryCount: number
}

/** A message handed out: nobody else gets it before the lock ends. */
export type LockedMessage = CloudMessage & { readonly lockToken: string }

/** What a device made of a message. */
export type Settlement = 'complete' | 'reject' | 'abandon'

/** What became of a message whose sender asked. */
export type FeedbackRecord = {
  readonly originalMessageId: string
  readonly deviceId: string
  readonly statusCode: 'Success' | 'Expired' | 'DeliveryCountExceeded' | 'Rejected' | 'Purged'
  readonly description: string
  readonly enqueuedTimeUtc: string
}

/** Queues of messages to devices, at most 50 for each; they survive a restart. */
export type CloudMessages = {
  /** @throws IsothermError INPUT_INVALID for a message that no device could be sent */
  readonly enqueue: (
    deviceId: string,
    message: NewCloudMessage,
  ) => Promise<
    | { readonly kind: 'queued'; readonly message: CloudMessage }
    | { readonly kind: 'full'; readonly pendingCount: number }
  >
  /** Whether `take` may find anything; answered from memory. */
  readonly hasPending: (deviceId: string) => boolean
  /** Locks the oldest messages that nobody holds; `lockMs` may be infinite. */
  readonly take: (
    deviceId: string,
    options: { readonly count: number; readonly lockMs: number },
  ) => Promise<readonly LockedMessage[]>
  /** False if the lock is not held any more. */
  readonly settle: (deviceId: string, lockToken: string, how: Settlement) => Promise<boolean>
  /** Gives locks back as if the messages had not been handed out. */
  readonly release: (deviceId: string, lockTokens: readonly string[]) => void
  /** Calls back when a device has a message to take. */
  readonly onQueued: (listener: (deviceId: string) => void) => () => void
}

/** Outcome of a change of a twin. */
export type TwinChange =
  | { readonly kind: 'changed'; readonly version: number }
  | { readonly kind: 'refused'; readonly errorCode: number; readonly message: string }

/** What a device may do with its twin. */
export type DeviceTwins = {
  /** JSON of desired and reported properties with their versions, without metadata. */
  readonly propertiesOf: (deviceId: string) => Promise<string>
  /** Merges a JSON patch into the reported properties; null deletes. */
  readonly report: (deviceId: string, patch: string) => Promise<TwinChange>
  /** Calls back with each patch of desired properties, its `$version` included. */
  readonly onDesired: (
    listener: (change: {
      readonly deviceId: string
      readonly patch: string
      readonly version: number
    }) => void,
  ) => () => void
}

/** Subscriptions of MQTT sessions that outlive their connection. */
export type SessionStore = {
  /** Bits of the session, or undefined if the device has none. */
  readonly subscriptionsOf: (deviceId: string) => number | undefined
  /** Resolves when the session will survive a crash; undefined ends it. */
  readonly keep: (deviceId: string, subscriptions: number | undefined) => Promise<void>
}

/** What the gateway keeps for devices beside their telemetry. */
export type HubStores = {
  readonly messages: CloudMessages
  readonly twins: DeviceTwins
  readonly sessions: SessionStore
}

/** A call of a method of a device. */
export type MethodCall = {
  /** Letters, digits, `_`, `.` and `-`. */
  readonly methodName: string
  /** JSON text; empty for none. */
  readonly payload: string
  /** Default 30 s. */
  readonly responseTimeoutMs?: number
  /** How long to wait for a device that is not connected; default 0. */
  readonly connectTimeoutMs?: number
}

/** What became of a call. */
export type MethodOutcome =
  | { readonly kind: 'answered'; readonly status: number; readonly payload: string }
  | { readonly kind: 'offline' }
  | { readonly kind: 'no answer'; readonly waitedMs: number }
  | { readonly kind: 'busy' }
