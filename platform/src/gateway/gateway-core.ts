import type { ProvisioningDirectory } from '../contracts/index.ts'
import type { AdmissionDesk } from './admission.ts'
import type { Counters } from './counters.ts'
import type { Decoder } from './decoder.ts'
import type { DeviceClocks } from './device-clock.ts'
import type { HubDesk } from './hub-desk.ts'
import type { Intake } from './intake.ts'
import type { GatewayLimits } from './limits.ts'
import type { Presence } from './presence.ts'
import type { Sessions } from './sessions.ts'
import type { Throttle } from './throttle.ts'

/** Where the gateway says what people should know; pino's loggers fit. */
export type GatewayLogger = {
  readonly info: (fields: Readonly<Record<string, unknown>>, message: string) => void
  readonly warn: (fields: Readonly<Record<string, unknown>>, message: string) => void
}

/** The parts all sessions and requests of one gateway share. */
export type GatewayCore = {
  readonly desk: AdmissionDesk
  readonly decoder: Decoder
  readonly intake: Intake
  readonly throttle: Throttle
  readonly sessions: Sessions
  readonly presence: Presence
  readonly clocks: DeviceClocks
  /** Twins, messages to devices and kept sessions; without it devices can only send. */
  readonly hub: HubDesk | undefined
  /** Lets devices register themselves. */
  readonly provisioning: ProvisioningDirectory | undefined
  /** Host name that registered devices are sent to. */
  readonly assignedHub: string
  readonly counters: Counters
  readonly limits: GatewayLimits
  readonly logger: GatewayLogger
  readonly clock: () => number
}
