import { z } from 'zod'
import {
  type HubDevice,
  hubDeviceSchema,
  type ImportOutcome,
  type Trust,
} from '../objects/index.ts'
import { readServerMarker, type ServerMarker } from '../runtime/index.ts'
import { callServer } from './call-server.ts'
import { type CommonOptions, withNewDeployment } from './program.ts'

/** The registry of a data folder, through the server that owns it or directly. */
export type RegistryAccess = {
  readonly importDevices: (devices: readonly HubDevice[]) => Promise<readonly ImportOutcome[]>
  readonly exportDevices: (options: {
    readonly after: string
    readonly limit: number
    readonly withKeys: boolean
  }) => Promise<readonly HubDevice[]>
}

/** Devices of one step: bounds the memory of a large fleet. */
export const stepSize = 2_000
/** Devices a server takes in one request. */
const requestSize = 200

function remoteRegistry(server: ServerMarker): RegistryAccess {
  return {
    importDevices: async (devices) => {
      const path = '/api/v1/registry/import'
      const all: ImportOutcome[] = []
      for (let start = 0; start < devices.length; start += requestSize) {
        const body = { devices: devices.slice(start, start + requestSize) }
        const answer = await callServer<{ outcomes: readonly ImportOutcome[] }>(server, {
          path,
          body,
        })
        all.push(...answer.outcomes)
      }
      return all
    },
    exportDevices: async ({ after, limit, withKeys }) => {
      const query = `after=${encodeURIComponent(after)}&limit=${limit}&keys=${withKeys}`
      const answer = await callServer<unknown>(server, { path: `/api/v1/registry/export?${query}` })
      return z.object({ devices: z.array(hubDeviceSchema) }).parse(answer).devices
    },
  }
}

/** Works on the registry of a folder, which is made if it is not there. */
export async function withRegistry<T>(
  options: CommonOptions,
  work: (registry: RegistryAccess) => Promise<T>,
): Promise<T> {
  const server = readServerMarker(options.data)
  if (server !== undefined) return work(remoteRegistry(server))
  return withNewDeployment(options, ({ state: { exchange }, fleet }) => {
    const defaults = { equipment_class: fleet.equipmentClasses[0] ?? 'default' }
    return work({
      importDevices: (devices) => exchange.importDevices(devices, defaults),
      exportDevices: exchange.exportDevices,
    })
  })
}

/** What a command does with the deployment's trust, as a request or directly. */
export type TrustRequest<T> = {
  /** Path below `/api/v1/trust`; with a body it is a POST. */
  readonly path: string
  readonly body?: unknown
  readonly direct: (trust: Trust) => Promise<T> | T
}

/** Asks the server that owns a folder, or does it directly when none runs. */
export async function withTrust<T>(options: CommonOptions, request: TrustRequest<T>): Promise<T> {
  const server = readServerMarker(options.data)
  if (server === undefined) {
    return withNewDeployment(options, async ({ state }) => request.direct(state.trust))
  }
  const { path, body } = request
  return callServer<T>(server, {
    path: `/api/v1/trust${path}`,
    ...(body !== undefined && { body }),
  })
}
