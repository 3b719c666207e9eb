import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { type FleetDefinition, IsothermError, newDevice } from '../../contracts/index.ts'
import {
  type ColumnMap,
  checkFile,
  createAdmission,
  importFile,
  parseColumnMap,
  withInlineEntries,
} from '../../import/index.ts'
import {
  createStageClock,
  type Deployment,
  requireDiskRoom,
  runPipeline,
} from '../../runtime/index.ts'
import { loadFleet } from '../fleet-source.ts'
import {
  type CommonOptions,
  command,
  fleetName,
  hasDataFolder,
  withNewDeployment,
} from '../program.ts'

type ImportOptions = CommonOptions & {
  readonly map?: readonly string[]
  readonly device?: string
  readonly skipBad?: boolean
}

function readMap(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new IsothermError('INPUT_INVALID', `--map ${path}: ${reason}`, { cause })
  }
}

function mapOf(entries: readonly string[] = []): ColumnMap {
  const files = entries.filter((entry) => entry.endsWith('.json'))
  const [file] = files
  if (files.length > 1) {
    throw new IsothermError('INPUT_INVALID', `--map ${files.join(' ')}: give one map file`)
  }
  const map: ColumnMap = file === undefined ? { columns: {} } : parseColumnMap(readMap(file), file)
  return withInlineEntries(
    map,
    entries.filter((entry) => !files.includes(entry)),
  )
}

/** Devices the file speaks of and the registry does not know, with the fleet's defaults. */
async function registerNew(
  { state, fleet, clock }: Deployment,
  deviceIds: readonly string[],
  sensors: readonly string[],
): Promise<number> {
  const unknown = deviceIds.filter((id) => state.registry.device(id) === undefined)
  const rows = unknown.map((device_id) =>
    newDevice({
      site_id: 'SITE-IMPORT',
      equipment_class: fleet.equipmentClasses[0] ?? 'default',
      // Sensors that the file does not feed are not missing, the unit does not have them.
      expected_sensors: sensors.length === fleet.sensors.length ? null : sensors,
      ...fleet.importDefaults,
      device_id,
      valid_from: clock(),
    }),
  )
  await state.registry.upsert(rows)
  return rows.length
}

/** Clocks of recorders differ; a whole day covers a mistaken time zone too. */
const clockToleranceMs = 86_400_000

/**
 * End of the shortest window that holds the last reading: the file has all of it, while longer
 * windows may go on in the next file.
 */
function endOfLastWindow(fleet: FleetDefinition, lastTimeMs: number): number {
  const windowMs = Math.min(...fleet.windowMinutes) * 60_000
  return (Math.floor(lastTimeMs / windowMs) + 1) * windowMs
}

/** `isotherm import`: a file of readings through the same door as live ones, up to features. */
export function addImport(program: Command): void {
  command<ImportOptions>(
    program,
    'import <file>',
    'import readings from CSV, NDJSON or Parquet',
    [
      new Option('--map <entries...>', 'map.json, sensor=Column or sensor=Column[unit]'),
      new Option('--device <id>', 'device of a file without a device column'),
      new Option('--skip-bad', 'keep the good rows of a file that has bad ones'),
    ],
    async (options, output, [path = '']) => {
      const map = mapOf(options.map)
      if (!hasDataFolder(options.data)) {
        // A file that does not fit leaves no folder behind that is bound to the wrong fleet.
        const fleet = await loadFleet(fleetName(options))
        await checkFile({ path, fleet, map, deviceId: options.device })
      }
      await withNewDeployment(options, async (deployment) => {
        const { lake, log, fleet, folder } = deployment
        requireDiskRoom(folder.directory)
        const imported = await lake.withConnection((connection) =>
          importFile({
            path,
            fleet,
            map,
            log,
            connection,
            admit: createAdmission(fleet),
            latestMs: deployment.clock() + clockToleranceMs,
            ...(options.device !== undefined && { deviceId: options.device }),
            ...(options.skipBad !== undefined && { skipBad: options.skipBad }),
            onProgress: (count) => output.progress(`imported ${count} rows`),
          }),
        )
        const added = await registerNew(deployment, imported.deviceIds, imported.sensors)
        output.progress('computing features')
        const endMs = endOfLastWindow(fleet, imported.lastTimeMs ?? 0)
        const clock = createStageClock(deployment.clock, () => performance.now())
        const { clean, features } = await runPipeline(deployment, clock, {
          stages: ['land', 'clean', 'features'],
          finishUntilMs: endMs,
        })
        output.records([
          {
            rows: imported.rowCount,
            bad_rows: imported.badRowCount,
            devices: imported.deviceIds.length,
            new_devices: added,
            from: new Date(imported.firstTimeMs ?? 0).toISOString(),
            until: new Date(endMs).toISOString(),
            clean_rows: clean?.rowCount ?? 0,
            feature_rows: features?.emittedCount ?? 0,
          },
        ])
        for (const { rowNumber, reason } of imported.badRows) {
          output.line(`  row ${rowNumber}: ${reason}`)
        }
        const until = new Date(endMs).toISOString()
        const data = JSON.stringify(options.data)
        output.line(
          `next: isotherm train --data ${data} --until INSTANT, with the end of a healthy stretch, ` +
            `then isotherm replay --data ${data} --from INSTANT --until ${until}`,
        )
      })
    },
  )
}
