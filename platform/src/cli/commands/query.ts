import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { IsothermError } from '../../contracts/index.ts'
import { openLake } from '../../lake/index.ts'
import { loadFleet } from '../fleet-source.ts'
import { countOf } from '../option-values.ts'
import { type CommonOptions, command, fleetName, requireDataFolder } from '../program.ts'

type QueryOptions = CommonOptions & { readonly limit: string }

/** `isotherm query "SELECT ..."`: SQL over all tables, also beside a running server. */
export function addQuery(program: Command): void {
  command<QueryOptions>(
    program,
    'query <sql>',
    "run one SELECT over the tables by name; also NAME AS OF VERSION 3, NAME TIMESTAMP AS OF '...'",
    [new Option('--limit <rows>', 'most rows to print').default('100000')],
    async (options, output, [sql = '']) => {
      requireDataFolder(options.data)
      const maxRows = countOf(options.limit, 'limit', 1)
      const directory = join(resolve(options.data), 'tables')
      if (!existsSync(join(directory, 'raw_sensor_readings', '_delta_log'))) {
        throw new IsothermError(
          'INPUT_INVALID',
          `${directory} holds no tables yet; import a file, or start the server and send readings`,
        )
      }
      const temporaryDirectory = mkdtempSync(join(tmpdir(), 'isotherm-query-'))
      const lake = await openLake({
        directory,
        fleet: await loadFleet(fleetName(options)),
        readOnly: true,
        temporaryDirectory,
      })
      try {
        const result = await lake.query(sql, { maxRows })
        const names = result.columns.map(({ name }) => name)
        output.records(
          result.rows.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]]))),
        )
        if (result.isTruncated) output.line(`(cut at ${options.limit} rows; raise --limit)`)
      } finally {
        await lake.close()
        rmSync(temporaryDirectory, { recursive: true, force: true })
      }
    },
  )
}
