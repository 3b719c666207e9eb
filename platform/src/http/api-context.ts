import type { FleetDefinition, MethodCall, MethodOutcome } from '../contracts/index.ts'
import type { Lake } from '../lake/index.ts'
import type { ModelRegistry } from '../models/index.ts'
import type { State } from '../objects/index.ts'
import type { ComponentState } from './schemas/health-schema.ts'

/** What the routes answer from. */
export type ApiContext = {
  readonly fleet: FleetDefinition
  readonly lake: Lake
  readonly state: State
  readonly registry: Pick<ModelRegistry, 'list' | 'card' | 'deployments' | 'deployed'>
  /** Time in epoch milliseconds. */
  readonly clock: () => number
  readonly components: () => readonly ComponentState[]
  /** Calls a method of a connected device. */
  readonly callMethod: (deviceId: string, call: MethodCall) => Promise<MethodOutcome>
  readonly eventClientCount: () => number
  readonly authentication: 'open' | 'tokens'
}
