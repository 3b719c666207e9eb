import { type Command, Option } from 'commander'
import { IsothermError } from '../../contracts/index.ts'
import {
  cohortTable,
  completeUntilMs,
  createCohorts,
  featureSheet,
  featureSheets,
  featureSqlTexts,
  modelFeatureFamilies,
  peerDrift,
} from '../../features/index.ts'
import { loadFleet } from '../fleet-source.ts'
import { countOf } from '../option-values.ts'
import { type CommonOptions, command, fleetName, withDeployment } from '../program.ts'

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

type PeersOptions = CommonOptions & { readonly minutes: string; readonly limit: string }

function addPeers(features: Command): void {
  command<PeersOptions>(
    features,
    'peers',
    'units that drifted away from their cohort in the last day, against the week before',
    [
      new Option('--minutes <minutes>', 'duration of the windows').default('60'),
      new Option('--limit <spreads>', 'spreads of the cohort from which a unit is named').default(
        '6',
      ),
    ],
    async (options, output) => {
      const minutes = countOf(options.minutes, 'minutes', 1)
      const limit = countOf(options.limit, 'limit', 1)
      await withDeployment(options, async ({ lake, state }) => {
        const untilMs = await completeUntilMs(lake, minutes)
        if (untilMs === undefined) {
          throw new IsothermError(
            'NOT_FOUND',
            `no windows of ${minutes} min yet; the fleet has ${lake.fleet.windowMinutes.join(', ')} min`,
          )
        }
        const table = lake.table('device_features')
        const rows = table.relation(await table.snapshot())
        const devices = state.registry.devices()
        const found = await lake.withConnection(async (connection) => {
          await createCohorts(connection, devices)
          return await peerDrift(connection, lake.fleet, {
            sources: { rows, cohorts: cohortTable },
            ...{ minutes, untilMs, limit },
          })
        })
        output.records(
          found.map(({ deviceId, cohortId, feature, change, spreads }) => ({
            ...{ device_id: deviceId, cohort_id: cohortId, feature, change, spreads },
          })),
        )
      })
    },
  )
}

/** `isotherm features list|show|peers`: the catalogue, and who left its peers. */
export function addFeatureCatalogue(features: Command): void {
  addPeers(features)
  addList(features)
  addShow(features)
}
