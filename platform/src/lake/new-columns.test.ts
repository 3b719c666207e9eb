import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { exampleFleet, fleetTables } from '../contracts/index.ts'
import { openDeltaLakeTable } from './delta-lake-table.ts'

test('a table of an earlier release gets the nullable columns of a new one', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'isotherm-columns-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const contract = fleetTables(exampleFleet).find(({ name }) => name === 'raw_sensor_readings')
  if (contract === undefined) throw new Error('the fleet has no landing table')
  const earlier = {
    ...contract,
    columns: contract.columns.filter(({ name }) => name !== 'message_properties'),
  }
  const namesOf = async (table: Awaited<ReturnType<typeof openDeltaLakeTable>>) =>
    (await table.snapshot()).schema.fields.map(({ name }) => name)
  const before = await openDeltaLakeTable(directory, earlier, false)
  expect(await namesOf(before)).not.toContain('message_properties')
  // A reader beside the server changes nothing.
  const reader = await openDeltaLakeTable(directory, contract, true)
  expect(await namesOf(reader)).not.toContain('message_properties')
  const after = await openDeltaLakeTable(directory, contract, false)
  expect((await namesOf(after)).toSorted()).toEqual(
    contract.columns.map(({ name }) => name).toSorted(),
  )
  const again = await openDeltaLakeTable(directory, contract, false)
  expect((await again.snapshot()).version).toBe((await after.snapshot()).version)
})
