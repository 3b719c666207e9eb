import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { defineFleet, type FleetDefinition, IsothermError } from '../contracts/index.ts'

function isFleet(value: unknown): value is FleetDefinition {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    'sensors' in value &&
    Array.isArray(value.sensors)
  )
}

/** Anything that looks like a path stands for a file, everything else for a package. */
const isPath = (named: string) => /[/\\]|\.[cm]?[jt]s$/.test(named)

/**
 * A fleet file may lie in any folder: `isotherm/...` means this Isotherm there too, and the file
 * is a module without a package.json that says so.
 */
function resolveFleetImports(fleetUrl: string): () => void {
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      if (/^isotherm(\/|$)/.test(specifier)) {
        return next(specifier, { ...context, parentURL: import.meta.url })
      }
      const resolved = next(specifier, context)
      const isOurs = resolved.url === fleetUrl || context.parentURL === fleetUrl
      return isOurs && /^file:.*\.ts$/.test(resolved.url)
        ? { ...resolved, format: 'module-typescript' }
        : resolved
    },
  })
  return () => hooks.deregister()
}

async function importModule(specifier: string, named: string): Promise<object> {
  const release = resolveFleetImports(specifier)
  try {
    return (await import(specifier)) as object
  } catch (cause) {
    if (cause instanceof IsothermError) throw cause
    const isUnknown =
      !isPath(named) &&
      cause instanceof Error &&
      'code' in cause &&
      cause.code === 'ERR_MODULE_NOT_FOUND'
    throw new IsothermError(
      'INPUT_INVALID',
      isUnknown
        ? `there is no fleet ${named}; give refrigeration, ahu, a package @isotherm/fleet-NAME, ` +
            'or the path of a file that exports a fleet'
        : `fleet ${named} cannot be loaded: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    )
  } finally {
    release()
  }
}

/**
 * Loads a fleet definition: a name stands for the package `@isotherm/fleet-NAME`, anything that
 * looks like a path for a file that exports one, wherever it lies.
 */
export async function loadFleet(named: string): Promise<FleetDefinition> {
  if (isPath(named) && !existsSync(named)) {
    throw new IsothermError('INPUT_INVALID', `--fleet ${named}: there is no such file`)
  }
  const specifier = isPath(named) ? pathToFileURL(resolve(named)).href : `@isotherm/fleet-${named}`
  const fleets = Object.values(await importModule(specifier, named)).filter(isFleet)
  const [fleet] = fleets
  if (fleet === undefined || fleets.length > 1) {
    throw new IsothermError(
      'INPUT_INVALID',
      `${named} exports ${fleets.length} fleet definitions; expected exactly one defineFleet(...)`,
    )
  }
  return defineFleet(fleet)
}

const rememberedName = 'fleet-file.json'

/** Lets later commands on a data folder find the fleet file it was made with. */
export function rememberFleetFile(dataDirectory: string, named: string): void {
  if (!isPath(named)) return
  const path = join(resolve(dataDirectory), rememberedName)
  writeFileSync(path, `${JSON.stringify({ fleet_file: resolve(named) })}\n`)
}

/** Path of the fleet file a data folder was last opened with, or undefined for a package. */
export function rememberedFleetFile(dataDirectory: string): string | undefined {
  const path = join(resolve(dataDirectory), rememberedName)
  if (!existsSync(path)) return undefined
  const { fleet_file: file } = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly fleet_file: string
  }
  return file
}
