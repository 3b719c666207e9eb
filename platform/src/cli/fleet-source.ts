import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
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

async function importModule(specifier: string, named: string): Promise<object> {
  try {
    return (await import(specifier)) as object
  } catch (cause) {
    const isMissing =
      cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND'
    throw new IsothermError(
      'INPUT_INVALID',
      isMissing
        ? `there is no fleet ${named}; give refrigeration, ahu, a package @isotherm/fleet-NAME, ` +
            'or the path of a file that exports a fleet'
        : `fleet ${named} cannot be loaded: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    )
  }
}

/**
 * Loads a fleet definition: a name stands for the package `@isotherm/fleet-NAME`, anything that
 * looks like a path for a file that exports one.
 */
export async function loadFleet(named: string): Promise<FleetDefinition> {
  const isPath = /[/\\]|\.[cm]?[jt]s$/.test(named)
  if (isPath && !existsSync(named)) {
    throw new IsothermError('INPUT_INVALID', `--fleet ${named}: there is no such file`)
  }
  const specifier = isPath ? pathToFileURL(resolve(named)).href : `@isotherm/fleet-${named}`
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
