import { join } from 'node:path'
import type { FleetDefinition } from '../contracts/index.ts'
import { type Lake, openLake } from '../lake/index.ts'
import { openLog, type SegmentLog } from '../log/index.ts'
import { type ModelRegistry, openModelRegistry } from '../models/index.ts'
import { openState, type State } from '../objects/index.ts'
import { type DataFolder, openDataFolder } from './data-folder.ts'

/** What runs where: a fleet, a data folder, and how much of the machine it may use. */
export type DeploymentOptions = {
  readonly fleet: FleetDefinition
  readonly dataDirectory: string
  /** Epoch ms; the only clock of the deployment. */
  readonly clock: () => number
  /** Threads of the SQL engine and of scoring; default: all cores. */
  readonly threadCount?: number
  /** Memory of the SQL engine before it spills; default 4 GiB. */
  readonly memoryBytes?: number
  /** Size at which a segment of the log is sealed; default 256 MiB. */
  readonly logSegmentBytes?: number
}

/** Everything open: the parts of one deployment on the embedded backends. */
export type Deployment = {
  readonly fleet: FleetDefinition
  readonly folder: DataFolder
  readonly log: SegmentLog
  readonly lake: Lake
  readonly state: State
  readonly models: ModelRegistry
  readonly clock: () => number
  readonly threadCount: number | undefined
  readonly close: () => Promise<void>
}

/** Returns its argument; gives deployment files their type. */
export function defineDeployment(options: DeploymentOptions): DeploymentOptions {
  return options
}

/**
 * Opens a deployment on the embedded backends. Parts already open are closed again when a later
 * one fails.
 * @throws IsothermError of the first part that cannot be opened; nothing is damaged
 */
export async function openDeployment(options: DeploymentOptions): Promise<Deployment> {
  const { fleet, clock, threadCount, memoryBytes, logSegmentBytes } = options
  const closers: (() => Promise<void> | void)[] = []
  const closeAll = async () => {
    for (const close of closers.toReversed()) await close()
  }
  try {
    const folder = openDataFolder(options.dataDirectory, fleet.name)
    closers.push(folder.release)
    const state = await openState({ path: folder.statePath, secretKey: folder.secretKey, clock })
    closers.push(state.close)
    const log = await openLog({
      directory: folder.logDirectory,
      clock,
      ...(logSegmentBytes !== undefined && { segmentBytes: logSegmentBytes }),
    })
    closers.push(log.close)
    const lake = await openLake({
      directory: folder.tablesDirectory,
      fleet,
      temporaryDirectory: join(folder.directory, 'temporary'),
      ...(threadCount !== undefined && { threadCount }),
      ...(memoryBytes !== undefined && { memoryBytes }),
    })
    closers.push(lake.close)
    const models = await openModelRegistry({ directory: folder.modelsDirectory })
    return {
      fleet,
      folder,
      log,
      lake,
      state,
      models,
      clock,
      threadCount,
      close: closeAll,
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}
