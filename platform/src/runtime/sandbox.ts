import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { IsothermError, type NewRecord } from '../contracts/index.ts'
import { type RecordRange, recordsBetween } from '../log/index.ts'
import { registeredDevices } from '../objects/index.ts'
import { type DeploymentOptions, openDeployment } from './deployment.ts'
import { runPipeline, type StageName } from './pipeline.ts'
import { createStageClock } from './stage-clock.ts'

/** What to replay, and where to. */
export type SandboxOptions = Pick<DeploymentOptions, 'fleet' | 'threadCount'> &
  RecordRange & {
    /** Data folder whose log is read; its server may run. */
    readonly dataDirectory: string
    /** Data folder to make. */
    readonly intoDirectory: string
    readonly clock: () => number
    readonly onProgress?: (recordCount: number) => void
  }

/** What a replay into a sandbox did. */
export type SandboxOutcome = {
  readonly recordCount: number
  readonly landedRowCount: number
  readonly deadLetterCount: number
  readonly featureRowCount: number
}

const stages: readonly StageName[] = ['land', 'clean', 'features']

/**
 * Replays a stretch of the log into a data folder of its own, ING-21: the records with the ids and
 * arrival times they had, the devices as they were registered, then landing, cleaning and
 * features. Nothing of the source is changed, and no consumer group moves. Device keys are not
 * copied.
 * @throws IsothermError INPUT_INVALID if the folder to make is there, or nothing is in the range
 */
export async function replayIntoSandbox(options: SandboxOptions): Promise<SandboxOutcome> {
  const { fleet, dataDirectory, intoDirectory, clock, fromMs, untilMs, threadCount } = options
  if (existsSync(join(resolve(intoDirectory), 'isotherm.json'))) {
    throw new IsothermError(
      'INPUT_INVALID',
      `${resolve(intoDirectory)} is a data folder already; a replay makes a new one: name another`,
    )
  }
  const source = resolve(dataDirectory)
  let nowMs = clock()
  const sandbox = await openDeployment({
    fleet,
    dataDirectory: intoDirectory,
    clock: () => nowMs,
    ...(threadCount !== undefined && { threadCount }),
  })
  try {
    const versions = registeredDevices(join(source, 'state.db'))
    for (const [validFrom, rows] of Map.groupBy(versions, ({ valid_from }) => valid_from)) {
      nowMs = validFrom
      await sandbox.state.registry.upsert(rows.map((row) => ({ ...row, valid_to: null })))
    }
    nowMs = clock()
    let recordCount = 0
    for await (const records of recordsBetween(join(source, 'log'), options)) {
      await sandbox.log.append(records.map(asNew))
      recordCount += records.length
      options.onProgress?.(recordCount)
    }
    if (recordCount === 0) {
      const span = `${new Date(fromMs).toISOString()} to ${new Date(untilMs).toISOString()}`
      throw new IsothermError(
        'INPUT_INVALID',
        `the log of ${source} holds no record received from ${span}; see what it holds with ` +
          'isotherm log describe',
      )
    }
    const outcome = await runPipeline(sandbox, createStageClock(clock, clock), {
      stages,
      finishUntilMs: untilMs,
    })
    return {
      recordCount,
      landedRowCount: outcome.landing?.rowCount ?? 0,
      deadLetterCount: outcome.landing?.deadLetterCount ?? 0,
      featureRowCount: outcome.features?.emittedCount ?? 0,
    }
  } finally {
    await sandbox.close()
  }
}

function asNew({
  partition: _partition,
  offset: _offset,
  ...record
}: NewRecord & {
  readonly partition: number
  readonly offset: number
}): NewRecord {
  return record
}
