// npm run contracts: publishes the numbered contracts of each fleet as fleets/NAME/contracts/*.odcs.yaml.
// A change that breaks readers, or a version that does not say how far it reaches, is refused.
// With --unreleased, versions that no release has carried yet are written anew without that check.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ahu } from '@isotherm/fleet-ahu'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import { numberedContracts } from 'isotherm/contracts'
import { judgeVersion, odcsYaml, readOdcs } from 'isotherm/data-contracts'

const isUnreleased = process.argv.includes('--unreleased')
const today = new Date().toISOString().slice(0, 10)
let refusedCount = 0

for (const fleet of [refrigeration, ahu]) {
  const directory = join(import.meta.dirname, '..', 'fleets', fleet.name, 'contracts')
  mkdirSync(directory, { recursive: true })
  for (const contract of numberedContracts(fleet)) {
    const path = join(directory, `${contract.name}.odcs.yaml`)
    const [published] = existsSync(path) ? readOdcs(readFileSync(path, 'utf8')).contracts : []
    const verdict = published && judgeVersion(published, contract, today)
    if (!isUnreleased && verdict !== undefined && verdict.refusals.length > 0) {
      refusedCount += 1
      for (const reason of verdict.refusals)
        console.error(`${fleet.name}: ${contract.name}: ${reason}`)
      continue
    }
    writeFileSync(path, odcsYaml(contract))
    const changes = verdict === undefined ? 'new' : `${verdict.changes.length} changes`
    console.log(`fleets/${fleet.name}/contracts/${contract.name} ${contract.version}, ${changes}`)
  }
}
if (refusedCount > 0) process.exitCode = 1
