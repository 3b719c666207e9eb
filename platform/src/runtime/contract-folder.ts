import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import {
  type FleetDefinition,
  fleetContracts,
  IsothermError,
  type TableContract,
} from '../contracts/index.ts'
import { judgeVersion, odcsYaml, readOdcs, type VersionVerdict } from '../data-contracts/index.ts'

const suffix = '.odcs.yaml'

/** Reads the contracts of an ODCS file. @throws IsothermError INPUT_INVALID, CONTRACT_INVALID */
export function readContractFile(path: string): ReturnType<typeof readOdcs> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new IsothermError('INPUT_INVALID', `contract ${path}: ${reason}`, { cause })
  }
  try {
    return readOdcs(text)
  } catch (cause) {
    if (!(cause instanceof IsothermError)) throw cause
    throw new IsothermError(cause.code, `${path}: ${cause.message}`, { cause })
  }
}

/** Contracts that were imported into a data folder, by name. */
export function importedContracts(dataDirectory: string): readonly TableContract[] {
  const directory = join(resolve(dataDirectory), 'contracts')
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => name.endsWith(suffix))
    .toSorted()
    .flatMap((name) => readContractFile(join(directory, name)).contracts)
}

/** What became of a contract that was brought in. */
export type ContractImport = {
  readonly contract: TableContract
  /** Against the version that was there; undefined for a new one. */
  readonly verdict?: VersionVerdict
}

/**
 * Keeps a contract in a data folder, in place of an earlier version of the same name.
 * @param onDate UTC date of the import, `YYYY-MM-DD`
 * @throws IsothermError CONTRACT_INVALID when the rules of evolution refuse it, or when it is of a
 * table of the product and says something else than the release
 */
export function importContract(
  dataDirectory: string,
  fleet: FleetDefinition,
  contract: TableContract,
  onDate: string,
): ContractImport {
  const { name } = contract
  const ours = fleetContracts(fleet).find((one) => one.name === name)
  const known = ours ?? importedContracts(dataDirectory).find((one) => one.name === name)
  const verdict = known === undefined ? undefined : judgeVersion(known, contract, onDate)
  if (ours !== undefined && (verdict?.changes.length ?? 0) > 0) {
    const details = verdict?.changes.map(({ detail }) => detail).join('; ')
    throw new IsothermError(
      'CONTRACT_INVALID',
      `${name} is a table of Isotherm; its contract comes with the release: ${details}`,
    )
  }
  if (verdict !== undefined && verdict.refusals.length > 0) {
    throw new IsothermError('CONTRACT_INVALID', `${name}: ${verdict.refusals.join('; ')}`)
  }
  if (ours === undefined) {
    const directory = join(resolve(dataDirectory), 'contracts')
    mkdirSync(directory, { recursive: true })
    const path = join(directory, `${name}${suffix}`)
    writeFileSync(`${path}.new`, odcsYaml(contract))
    renameSync(`${path}.new`, path)
  }
  return { contract, ...(verdict !== undefined && { verdict }) }
}
