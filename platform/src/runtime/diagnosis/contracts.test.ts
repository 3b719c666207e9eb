import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTable, folderStore } from '@isotherm/delta'
import { expect, it } from 'vitest'
import { deltaFields, labelEvents } from '../../contracts/index.ts'
import { contracts } from './contracts.ts'
import { settings, temporaryFolder } from './diagnosis-test-support.ts'

async function storeLabels(
  dataDirectory: string,
  change: (fields: ReturnType<typeof deltaFields>) => ReturnType<typeof deltaFields>,
): Promise<void> {
  await createTable(folderStore(join(dataDirectory, 'tables', 'label_events')), {
    name: 'label_events',
    schema: { type: 'struct', fields: [...change(deltaFields(labelEvents))] },
    partitionColumns: [],
  })
}

it('is content with a folder without tables and with tables as the contracts say', async () => {
  const dataDirectory = temporaryFolder()
  expect(await contracts(settings({ dataDirectory }))).toMatchObject([{ state: 'ok' }])
  await storeLabels(dataDirectory, (fields) => fields)
  expect(await contracts(settings({ dataDirectory }))).toMatchObject([{ state: 'ok' }])
})

it('finds a stored column of another type', async () => {
  const dataDirectory = temporaryFolder()
  await storeLabels(dataDirectory, (fields) =>
    fields.map((field) =>
      field.name === 'label_confidence' ? { ...field, type: 'string' as const } : field,
    ),
  )
  expect(await contracts(settings({ dataDirectory }))).toMatchObject([
    {
      state: 'failed',
      where: 'label_events',
      found: 'label_confidence is string, expected double',
    },
  ])
})

it('names columns a stored table lacks, or has beyond the contract', async () => {
  const lacking = temporaryFolder()
  await storeLabels(lacking, (fields) => fields.filter(({ name }) => name !== 'notes'))
  expect(await contracts(settings({ dataDirectory: lacking }))).toMatchObject([
    { state: 'warning', found: expect.stringContaining('no notes yet') },
  ])
  const beyond = temporaryFolder()
  await storeLabels(beyond, (fields) => [
    ...fields,
    { name: 'later', type: 'double', nullable: true, metadata: {} },
  ])
  expect(await contracts(settings({ dataDirectory: beyond }))).toMatchObject([
    { state: 'warning', found: expect.stringContaining('later') },
  ])
})

it('finds an imported contract that cannot be read', async () => {
  const dataDirectory = temporaryFolder()
  mkdirSync(join(dataDirectory, 'contracts'))
  writeFileSync(join(dataDirectory, 'contracts', 'pumps.odcs.yaml'), 'kind: Something')
  expect(await contracts(settings({ dataDirectory }))).toMatchObject([
    { state: 'failed', found: expect.stringContaining('pumps.odcs.yaml') },
  ])
})
