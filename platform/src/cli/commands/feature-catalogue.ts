import { type Command, Option } from 'commander'
import { IsothermError } from '../../contracts/index.ts'
import {
  featureSheet,
  featureSheets,
  featureSqlTexts,
  modelFeatureFamilies,
} from '../../features/index.ts'
import { loadFleet } from '../fleet-source.ts'
import { countOf } from '../option-values.ts'
import { type CommonOptions, command, fleetName } from '../program.ts'

type ShowOptions = CommonOptions & { readonly minutes?: string }

const dayMs = 86_400_000

function addList(features: Command): void {
  command<CommonOptions>(
    features,
    'list',
    'all features with unit, formula, null rule and who reads them',
    [],
    async (options, output) => {
      const sheets = featureSheets(await loadFleet(fleetName(options)))
      output.records(
        output.isJson
          ? sheets
          : sheets.map(({ name, unit, kind, formula, usedBy }) => ({
              ...{ name, unit, kind, formula },
              used_by: usedBy.filter((user) => user.startsWith('model ')).length,
            })),
      )
      const patterns = modelFeatureFamilies.map(({ pattern }) => pattern).join(', ')
      output.line(`and for each stored feature {f}: ${patterns}`)
    },
  )
}

function addShow(features: Command): void {
  command<ShowOptions>(
    features,
    'show <name>',
    'one feature: definition, unit, null rule, and its SQL for DuckDB and for Spark',
    [new Option('--minutes <minutes>', 'duration of the windows (60, or the shortest)')],
    async (options, output, [name = '']) => {
      const fleet = await loadFleet(fleetName(options))
      const sheet = featureSheet(fleet, name)
      const minutes =
        options.minutes === undefined
          ? (fleet.windowMinutes.find((one) => one >= 60) ?? fleet.windowMinutes[0] ?? 60)
          : countOf(options.minutes, 'minutes', 1)
      if (!fleet.windowMinutes.includes(minutes)) {
        throw new IsothermError(
          'INPUT_INVALID',
          `fleet ${fleet.name} has no windows of ${minutes} min; it has ${fleet.windowMinutes.join(', ')}`,
        )
      }
      const endMs = Math.floor(Date.now() / dayMs) * dayMs
      const sql = featureSqlTexts(fleet, name, { minutes, startMs: endMs - dayMs, endMs })
      if (output.isJson) {
        output.records([{ ...sheet, minutes, sql }])
        return
      }
      for (const [field, value] of Object.entries(sheet)) {
        output.line(`${field.padEnd(11)} ${Array.isArray(value) ? value.join(', ') : value}`)
      }
      output.line(`\n-- DuckDB, windows of ${minutes} min of the last whole day\n${sql.duckdb}`)
      output.line(`\n-- Spark SQL\n${sql.spark}`)
    },
  )
}

/** `isotherm features list|show`: the catalogue, from the definitions alone. */
export function addFeatureCatalogue(features: Command): void {
  addList(features)
  addShow(features)
}
