import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ahu } from '@isotherm/fleet-ahu'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import { numberedContracts } from 'isotherm/contracts'
import { judgeVersion, readOdcs } from 'isotherm/data-contracts'
import { describe, expect, it } from 'vitest'

const today = new Date().toISOString().slice(0, 10)

describe.each([refrigeration, ahu])('the published contracts of $name', (fleet) => {
  const directory = join(import.meta.dirname, fleet.name, 'contracts')
  const current = numberedContracts(fleet)

  it('are those of the numbered contracts, one file each', () => {
    const files = current.map(({ name }) => `${name}.odcs.yaml`)
    expect(readdirSync(directory).toSorted()).toEqual(files.toSorted())
  })

  it.each(current.map((contract) => [contract.name, contract] as const))(
    '%s is defined as published, or npm run contracts publishes the new version',
    (name, contract) => {
      const text = readFileSync(join(directory, `${name}.odcs.yaml`), 'utf8')
      const [published] = readOdcs(text).contracts
      // Refusals come first: they say which version the change calls for, or why it may not be.
      const { refusals, changes } = judgeVersion(published!, contract, today)
      expect(refusals).toEqual([])
      expect(changes.map(({ detail }) => detail)).toEqual([])
    },
  )
})
