import Fastify from 'fastify'
import type { DeviceRow, FaultPlan, FleetDefinition } from 'isotherm/contracts'
import { createGateway, type Gateway, ingestRoutes } from 'isotherm/gateway'
import { type Deployment, openDeployment } from 'isotherm/runtime'

/** A clock that is moved by hand. */
export type VirtualClock = { readonly now: () => number; readonly set: (ms: number) => void }

export function virtualClock(startMs: number): VirtualClock {
  let nowMs = startMs
  return {
    now: () => nowMs,
    set: (ms) => {
      nowMs = ms
    },
  }
}

/** A deployment with its HTTP door open, living in virtual time. */
export type VirtualSystem = {
  readonly deployment: Deployment
  readonly gateway: Gateway
  readonly baseUrl: string
  readonly token: string
  readonly close: () => Promise<void>
}

/** Opens a deployment whose every clock is the given one; messages come in over HTTP. */
export async function openVirtualSystem(options: {
  readonly fleet: FleetDefinition
  readonly dataDirectory: string
  readonly clock: VirtualClock
  readonly devices: readonly DeviceRow[]
}): Promise<VirtualSystem> {
  const { fleet, dataDirectory, clock, devices } = options
  const deployment = await openDeployment({ fleet, dataDirectory, clock: clock.now })
  await deployment.state.registry.upsert(devices)
  const { token } = await deployment.state.credentials.addCollector({
    collectorId: 'verify',
    mayBackdate: true,
  })
  const gateway = createGateway({
    fleet,
    log: deployment.log,
    directory: deployment.state.credentials.identity,
    hostNames: ['localhost'],
    clock: clock.now,
    limits: { deploymentMessagesPerSecond: 1e9, deploymentBurst: 1e9 },
  })
  const app = Fastify()
  await app.register(async (scope) => ingestRoutes(scope, gateway))
  const baseUrl = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    deployment,
    gateway,
    baseUrl,
    token,
    close: async () => {
      await gateway.close()
      await app.close()
      await deployment.close()
    },
  }
}

/** Faults that make a unit fail, by mode. */
export function failuresByMode(
  faults: readonly FaultPlan[],
): ReadonlyMap<string, readonly FaultPlan[]> {
  return Map.groupBy(
    faults.filter(({ failureMs }) => failureMs !== undefined),
    ({ mode }) => mode,
  )
}
