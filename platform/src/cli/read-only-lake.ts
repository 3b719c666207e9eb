import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Lake, openLake } from '../lake/index.ts'
import { loadFleet } from './fleet-source.ts'
import { type CommonOptions, fleetName, requireDataFolder } from './program.ts'

/** The tables of a data folder for reading only, also beside a running server. */
export async function withReadOnlyLake<T>(
  options: CommonOptions,
  work: (lake: Lake) => Promise<T>,
): Promise<T> {
  requireDataFolder(options.data)
  const temporaryDirectory = mkdtempSync(join(tmpdir(), 'isotherm-read-'))
  const lake = await openLake({
    directory: join(resolve(options.data), 'tables'),
    fleet: await loadFleet(fleetName(options)),
    readOnly: true,
    temporaryDirectory,
  })
  try {
    return await work(lake)
  } finally {
    await lake.close()
    rmSync(temporaryDirectory, { recursive: true, force: true })
  }
}
