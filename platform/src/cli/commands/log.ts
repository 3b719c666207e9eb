import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { describeLog, verifyLog } from '../../log/index.ts'
import { replayIntoSandbox } from '../../runtime/index.ts'
import { loadFleet } from '../fleet-source.ts'
import { instantOf, threadsOf } from '../option-values.ts'
import { type CommonOptions, command, fleetName, requireDataFolder } from '../program.ts'

type VerifyLogOptions = CommonOptions & { readonly head?: string }

type ReplayLogOptions = CommonOptions & {
  readonly from: string
  readonly until: string
  readonly into: string
  readonly device?: readonly string[]
  readonly threads?: string
}

const mib = 2 ** 20

function instant(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString()
}

function logDirectory(data: string): string {
  return join(resolve(requireDataFolder(data)), 'log')
}

/** `isotherm log`: what the log holds, who has read how far, and whether it is as it was written. */
export function addLog(program: Command): void {
  const log = program.command('log').description('the log that every message goes through')
  command<CommonOptions>(
    log,
    'describe',
    'partitions, offsets and times, and the newest link of each chain',
    [],
    async ({ data }, output) => {
      const { generation, partitions } = describeLog(logDirectory(data), Date.now())
      output.records(
        partitions.map((partition) => ({
          generation,
          partition: partition.partition,
          segments: partition.segmentCount,
          first_offset: partition.startOffset,
          next_offset: partition.endOffset,
          mebibytes: Number((partition.sizeBytes / mib).toFixed(1)),
          first_ingested: instant(partition.firstIngestedAtMs),
          last_ingested: instant(partition.lastIngestedAtMs),
          chain_head: partition.chainHead,
        })),
      )
    },
  )
  command<CommonOptions>(
    log,
    'groups',
    'how far each consumer group has read, and how far it is behind (ING-22)',
    [],
    async ({ data }, output) => {
      const { groups } = describeLog(logDirectory(data), Date.now())
      output.records(
        groups.map(({ group, partition, position, lagRecords, lagSeconds }) => ({
          group,
          partition,
          position,
          behind_records: lagRecords,
          behind_seconds: Number(lagSeconds.toFixed(1)),
        })),
      )
    },
  )
  command<VerifyLogOptions>(
    log,
    'verify',
    'read the whole log and compare it with its checksums and its chain of hashes',
    [new Option('--head <hash>', 'a chain head that was kept elsewhere: it must be in the log')],
    async ({ data, head }, output) => {
      const found = await verifyLog(logDirectory(data), {
        ...(head !== undefined && { expectedHead: head }),
        onProgress: (bytes) => output.progress(`${Math.round(bytes / mib)} MiB read`),
      })
      if (output.isJson) output.records([found])
      else {
        const { segmentCount, recordCount, sizeBytes, unchainedCount, heads, faults } = found
        if (faults.length > 0) {
          output.records(
            faults.map((fault) => ({
              record: fault.record,
              found: fault.found,
              file: fault.path,
            })),
          )
        }
        output.line(
          `${segmentCount} segments, ${recordCount} records, ${(sizeBytes / mib).toFixed(1)} MiB: ` +
            (faults.length === 0 ? 'all as written' : `${faults.length} faults`),
        )
        if (unchainedCount > 0) {
          output.line(`${unchainedCount} sealed segments have no link: checked by CRC only`)
        }
        output.line(`chain heads: ${heads.join(' ')}`)
      }
      if (found.faults.length > 0) process.exitCode = 1
    },
  )
  command<ReplayLogOptions>(
    log,
    'replay',
    'replay a stretch of the log into a data folder of its own, which isotherm query can read (ING-21)',
    [
      new Option('--from <instant>', 'received at or after').makeOptionMandatory(),
      new Option('--until <instant>', 'received before').makeOptionMandatory(),
      new Option('--into <dir>', 'data folder to make').makeOptionMandatory(),
      new Option('--device <ids...>', 'only these devices'),
      new Option('--threads <number>', 'default: all cores'),
    ],
    async (options, output) => {
      requireDataFolder(options.data)
      const { threads: threadCount } = threadsOf(options.threads)
      const outcome = await replayIntoSandbox({
        fleet: await loadFleet(fleetName(options)),
        dataDirectory: options.data,
        intoDirectory: options.into,
        fromMs: instantOf(options.from, 'from'),
        untilMs: instantOf(options.until, 'until'),
        clock: Date.now,
        ...(options.device !== undefined && { deviceIds: new Set(options.device) }),
        ...(threadCount !== undefined && { threadCount }),
        onProgress: (count) => output.progress(`${count} records replayed`),
      })
      output.records([
        {
          records: outcome.recordCount,
          landed: outcome.landedRowCount,
          dead_letters: outcome.deadLetterCount,
          feature_rows: outcome.featureRowCount,
        },
      ])
      output.line(`look at it with: isotherm query "SELECT ..." --data ${options.into}`)
    },
  )
}
