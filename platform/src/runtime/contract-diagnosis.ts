import { existsSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type FleetDefinition, fleetContracts } from '../contracts/index.ts'
import { contractFaults, storedSchemaDifference } from '../data-contracts/index.ts'
import { openLake } from '../lake/index.ts'
import { importedContracts } from './contract-folder.ts'

/** What holds or does not between contracts, stored tables and imported contracts. */
export type ContractFinding = {
  readonly table: string
  readonly state: 'ok' | 'warning' | 'failed'
  readonly found: string
}

type FolderOptions = { readonly dataDirectory: string; readonly fleet: FleetDefinition }

async function storedFindings({
  dataDirectory,
  fleet,
}: FolderOptions): Promise<readonly ContractFinding[]> {
  const directory = join(resolve(dataDirectory), 'tables')
  if (!existsSync(directory)) return []
  const temporaryDirectory = join(directory, `.contracts-${process.pid}`)
  const lake = await openLake({ directory, fleet, readOnly: true, temporaryDirectory })
  const findings: ContractFinding[] = []
  try {
    for (const table of lake.tableNames) {
      const { schema } = await lake.table(table).snapshot()
      const { contract } = lake.table(table)
      const { missing, undeclared, retyped } = storedSchemaDifference(contract, schema.fields)
      if (retyped.length > 0) {
        findings.push({ table, state: 'failed', found: retyped.join('; ') })
      } else if (missing.length > 0) {
        const found = `the stored table has no ${missing.join(', ')} yet`
        findings.push({ table, state: 'warning', found })
      } else if (undeclared.length > 0) {
        const found = `the stored table has ${undeclared.join(', ')}, unknown to this release`
        findings.push({ table, state: 'warning', found })
      }
    }
  } finally {
    await lake.close()
    rmSync(temporaryDirectory, { recursive: true, force: true })
  }
  return findings
}

/**
 * Holds the contracts of a fleet against themselves and the stored tables, and reads the imported
 * ones; what is in order is not mentioned.
 */
export async function contractFindings(
  options: FolderOptions,
): Promise<readonly ContractFinding[]> {
  const faulty = fleetContracts(options.fleet).flatMap((contract) =>
    contractFaults(contract).map(
      (found): ContractFinding => ({ table: contract.name, state: 'failed', found }),
    ),
  )
  const findings = [...faulty, ...(await storedFindings(options))]
  try {
    importedContracts(options.dataDirectory)
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause)
    findings.push({ table: '(imported)', state: 'failed', found })
  }
  return findings
}
