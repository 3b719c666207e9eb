import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command, Option } from 'commander'
import { IsothermError } from '../contracts/index.ts'
import {
  type Deployment,
  fleetOfFolder,
  openDeployment,
  readServerMarker,
} from '../runtime/index.ts'
import { loadFleet, rememberedFleetFile, rememberFleetFile } from './fleet-source.ts'
import { errorText, exitCodeOf, type Output, openOutput } from './output.ts'

/** Options every command takes. */
export type CommonOptions = {
  readonly data: string
  readonly json?: boolean
  readonly fleet?: string
}

/** A command with the common options; what it throws ends the process with 1 or 2. */
export function command<Options extends CommonOptions>(
  parent: Command,
  name: string,
  description: string,
  more: readonly Option[],
  run: (options: Options, output: Output, args: readonly string[]) => Promise<void>,
): Command {
  const created = parent
    .command(name)
    .description(description)
    .option('--data <dir>', 'data folder', './isotherm-data')
    .option('--fleet <name>', 'refrigeration, ahu, a package @isotherm/fleet-NAME, or a file')
    .option('--json', 'print JSON')
  for (const option of more) created.addOption(option)
  created.action(async (...values: unknown[]) => {
    const options = created.opts<Options>()
    const output = openOutput(options.json === true)
    const args = values.slice(0, -2).flat().map(String)
    try {
      await run(options, output, args)
      output.progressDone()
    } catch (error) {
      output.progressDone()
      process.stderr.write(`isotherm: ${errorText(inPlainWords(error, options.data))}\n`)
      process.exitCode = exitCodeOf(error)
    }
  })
  return created
}

/** Says which server keeps a folder, and what can be done beside it. */
function inPlainWords(error: unknown, dataDirectory: string): unknown {
  if (!(error instanceof IsothermError) || error.code !== 'DATA_FOLDER_LOCKED') return error
  const server = readServerMarker(dataDirectory)
  if (server === undefined) return error
  return new IsothermError(
    'DATA_FOLDER_LOCKED',
    `${resolve(dataDirectory)} is in use by the server at ${server.url} (process ` +
      `${server.processId}): stop it with Ctrl-C, repeat this, and start it again; alerts, ` +
      'devices list, models, query, tokens and doctor work beside it',
    { cause: error },
  )
}

/** Whether there is a data folder at a path. */
export function hasDataFolder(directory: string): boolean {
  return existsSync(join(resolve(directory), 'isotherm.json'))
}

/** The folder of a command that makes none. @throws IsothermError INPUT_INVALID without one */
export function requireDataFolder(directory: string): string {
  if (hasDataFolder(directory)) return directory
  throw new IsothermError(
    'INPUT_INVALID',
    `${resolve(directory)} is no data folder; give one with --data, or make one with isotherm import or up`,
  )
}

/** Name of the fleet a command works on: as asked, as the folder says, or refrigeration. */
export function fleetName({ fleet, data }: CommonOptions): string {
  return fleet ?? rememberedFleetFile(data) ?? fleetOfFolder(data) ?? 'refrigeration'
}

/** Opens the deployment in a folder that is there, for the time of some work. */
export async function withDeployment<T>(
  options: CommonOptions & { readonly threads?: number },
  work: (deployment: Deployment) => Promise<T>,
): Promise<T> {
  requireDataFolder(options.data)
  return withNewDeployment(options, work)
}

/** Opens the deployment of the common options, in a new folder if need be. */
export async function withNewDeployment<T>(
  options: CommonOptions & { readonly threads?: number },
  work: (deployment: Deployment) => Promise<T>,
): Promise<T> {
  const deployment = await openDeployment({
    fleet: await loadFleet(fleetName(options)),
    dataDirectory: options.data,
    clock: Date.now,
    ...(options.threads !== undefined && { threadCount: options.threads }),
  })
  try {
    if (options.fleet !== undefined) rememberFleetFile(options.data, options.fleet)
    return await work(deployment)
  } finally {
    await deployment.close()
  }
}
