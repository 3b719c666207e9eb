import { broker } from './broker.ts'
import { certificate } from './certificate.ts'
import { clock } from './clock.ts'
import { contracts } from './contracts.ts'
import { type Check, type DiagnosisOptions, type Finding, finding, reasonOf } from './finding.ts'
import { memory, nodeVersion, openFiles } from './machine.ts'
import { ports } from './ports.ts'
import { secrets } from './secrets.ts'
import { fleetDefinition, registryNames, timeZones } from './settings.ts'
import { dataFolder, diskSpace, durableWrite, fileSystem } from './storage.ts'
import { consumers, tables } from './stored-data.ts'

const checks: Readonly<Record<string, Check>> = {
  Node: () => nodeVersion(),
  memory,
  'open files': openFiles,
  clock,
  'time zone': timeZones,
  'data folder': dataFolder,
  'file system': fileSystem,
  'disk space': diskSpace,
  'durable write': durableWrite,
  secrets,
  port: ports,
  certificate,
  fleet: fleetDefinition,
  registry: registryNames,
  consumers,
  tables,
  contracts,
  broker,
}

/**
 * Looks at the machine, the settings and the data folder for what most often goes wrong. A check
 * that cannot be made is a finding itself; nothing is changed.
 */
export async function diagnose(options: DiagnosisOptions): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const [name, check] of Object.entries(checks)) {
    try {
      findings.push(...(await check(options)))
    } catch (cause) {
      const found = reasonOf(cause)
      const observed = { where: options.dataDirectory, expected: 'a check that can be made', found }
      const advice = 'look at what it names; the other checks were made'
      findings.push(finding(name, { state: 'failed', ...observed, advice }))
    }
  }
  return findings
}
