import { writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { fleetContracts, IsothermError } from '../../contracts/index.ts'
import {
  odcsDocument,
  odcsYaml,
  profileRows,
  snakeCase,
  suggestContract,
} from '../../data-contracts/index.ts'
import { type RangeOptions, rangeOf, rangeOptions, withRowsOf } from '../contract-rows.ts'
import { loadFleet } from '../fleet-source.ts'
import { command, fleetName } from '../program.ts'

type SuggestOptions = RangeOptions & {
  readonly name?: string
  readonly days: string
  readonly key?: string
  readonly margin: string
  readonly to?: string
}

/** `isotherm contracts suggest`: a contract from a week of rows. */
export function addSuggest(contracts: Command): void {
  command<SuggestOptions>(
    contracts,
    'suggest <file-or-table>',
    'suggest a contract from a week of rows: CSV, Parquet, NDJSON or a table of the data folder',
    [
      new Option('--name <name>', 'table name; default: from the file'),
      new Option('--days <days>', 'days to learn from, from the first row or --from').default('7'),
      new Option('--key <columns>', 'key columns, comma between; default: found'),
      new Option('--margin <share>', 'room beside the seen range, share of its width').default(
        '0.5',
      ),
      new Option('--to <file>', 'write the contract there'),
      ...rangeOptions(),
    ],
    async (options, output, [rows = '']) => {
      const [days, margin] = [Number(options.days), Number(options.margin)]
      if (!(days > 0)) throw new IsothermError('INPUT_INVALID', `--days ${options.days}: above 0`)
      if (!(margin >= 0)) throw new IsothermError('INPUT_INVALID', '--margin: 0 or more')
      const origin = basename(rows)
      const range = { days, ...rangeOf(options) }
      const { time, key } = options
      const fleet = await loadFleet(fleetName(options))
      const known = fleetContracts(fleet).find((one) => one.name === rows)
      const named = [...fleet.sensors, ...(known?.columns ?? [])]
      const units = Object.fromEntries(
        named.flatMap((one) => (one.unit ? [[one.name, one.unit] as const] : [])),
      )
      const knownKey = key?.split(',').map((column) => column.trim()) ?? known?.key
      const profile = await withRowsOf(options, rows, range, (connection, relation) =>
        profileRows(connection, {
          relation,
          ...(time !== undefined && { timeColumn: time }),
          ...(knownKey !== undefined && { key: knownKey }),
        }),
      )
      const name = options.name ?? snakeCase(origin.replace(/\.[^.]+$/, ''))
      const contract = suggestContract(profile, { name, origin, margin, units })
      const text = odcsYaml(contract)
      if (options.to !== undefined) {
        writeFileSync(options.to, text)
        output.records([{ name, columns: contract.columns.length, file: options.to }])
      } else if (output.isJson) output.records([odcsDocument(contract)])
      else output.line(text.trimEnd())
    },
  )
}
