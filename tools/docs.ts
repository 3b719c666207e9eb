// npm run docs: writes reference pages from the definitions into docs/reference, which git ignores.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ahu } from '@isotherm/fleet-ahu'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import {
  contractPage,
  deviceRegistry,
  type FleetDefinition,
  fleetTables,
  jsonSchema,
} from 'isotherm/contracts'
import { featureSheets } from 'isotherm/features'

const directory = join(import.meta.dirname, '..', 'docs', 'reference')
mkdirSync(directory, { recursive: true })

function featurePage(fleet: FleetDefinition): string {
  const rows = featureSheets(fleet).map(
    ({ name, label, unit, kind, group, formula, nullWhen }) =>
      `| \`${name}\` | ${label} | ${unit} | ${group} | ${kind} | ${formula} | ${nullWhen} |`,
  )
  return [
    `# Features: ${fleet.title}`,
    '',
    '| feature | meaning | unit | group | kind | formula | null when |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

for (const fleet of [refrigeration, ahu]) {
  const tables = [deviceRegistry, ...fleetTables(fleet)]
  const schemas = Object.fromEntries(tables.map((table) => [table.name, jsonSchema(table)]))
  const files = {
    [`tables-${fleet.name}.md`]: contractPage(`Tables: ${fleet.title}`, tables),
    [`features-${fleet.name}.md`]: featurePage(fleet),
    [`tables-${fleet.name}.schema.json`]: `${JSON.stringify(schemas, null, 2)}\n`,
  }
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(directory, name), text)
    console.log(`docs/reference/${name}`)
  }
}
