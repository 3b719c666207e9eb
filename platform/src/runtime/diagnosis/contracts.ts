import { fleetContracts } from '../../contracts/index.ts'
import { contractFindings } from '../contract-diagnosis.ts'
import { importedContracts } from '../contract-folder.ts'
import { type Check, finding } from './finding.ts'

const name = 'contracts'

/** Contracts against themselves and the stored tables, CON-2; imported ones must be readable. */
export const contracts: Check = async ({ dataDirectory, fleet }) => {
  const expected = 'contracts without contradiction that the stored tables follow'
  if (fleet.kind === 'failed') return []
  const found = await contractFindings({ dataDirectory, fleet: fleet.fleet })
  if (found.length === 0) {
    const counts = [fleetContracts(fleet.fleet), importedContracts(dataDirectory)]
    const [own = 0, imported = 0] = counts.map(({ length }) => length)
    const held = `${own} of the release and ${imported} imported hold`
    return [finding(name, { state: 'ok', where: dataDirectory, expected, found: held })]
  }
  const advice = 'see isotherm contracts check; a retyped column needs a new one beside it (CON-52)'
  return found.map(({ table, state, found: text }) =>
    finding(name, { state, where: table, expected, found: text, advice }),
  )
}
