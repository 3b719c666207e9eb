import { Cron } from 'croner'
import { runOfflineRule, runSlaMonitor, runStreamRules, type StreamRules } from '../alerts/index.ts'
import { IsothermError } from '../contracts/index.ts'
import type { TrainOutcome } from '../models/index.ts'
import type { Deployment } from './deployment.ts'
import { type FeatureCare, openFeatureCare } from './feature-care.ts'
import { type LogWatch, watchLog } from './log-watch.ts'
import {
  finishLastRun,
  type PipelineOptions,
  type PipelineOutcome,
  runPipeline,
} from './pipeline.ts'
import { openQuality } from './quality.ts'
import { judgedTables, judgeTables } from './quality-gates.ts'
import { schemaChangeJob } from './schema-changes.ts'
import { createStageClock, type StageHealth } from './stage-clock.ts'
import { trainDeployment } from './training.ts'

/** When the service does what. */
export type OperationOptions = {
  /** Seconds between pipeline runs, ING-27; default 300. */
  readonly commitSeconds?: number
  /** Cron expression (UTC) of training, MOD-2; default Sundays at 02:00. */
  readonly trainingSchedule?: string
  readonly onRun?: (outcome: PipelineOutcome) => void
  /** Told about failures that the next run repeats; they are also in `health`. */
  readonly onFailure?: (what: string, error: unknown) => void
  /** Monotonic milliseconds, for durations. */
  readonly stopwatch: () => number
}

/** The running operation of a deployment. */
export type Operation = {
  /** Runs the pipeline now, after the run that may be under way. */
  readonly run: (options?: PipelineOptions) => Promise<PipelineOutcome>
  /** Trains, without a pipeline run in between. */
  readonly train: (untilMs: number) => Promise<TrainOutcome>
  readonly health: () => readonly StageHealth[]
  readonly streamRules: StreamRules
  /** How far the log's consumers are behind, and the disk. */
  readonly logWatch: LogWatch
  /** What is served of the features, and how they are. */
  readonly features: FeatureCare
  /** Stops after the work under way. */
  readonly close: () => Promise<void>
}

const minuteMs = 60_000

/** One piece of work after the other; a failed one does not stop the next. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const next = last.then(work, work)
    last = next.catch(() => undefined)
    return next
  }
}

/** At night the history of features is filled and what is served is proven. */
const nightlySchedule = '40 2 * * *'

/** Sensors are graded at night, when the rest has little to do. */
const gradingSchedule = '15 1 * * *'

/** Once a week each column is counted: who sends it, from when it can be trained on, ING-50. */
const coverageSchedule = '30 3 * * 0'

/** Hours and days are compared with the weeks before once their last messages have landed. */
const distributionSchedules = { hour: '20 * * * *', day: '40 0 * * *' } as const

/** Late messages of an hour have come by then. */
const dropoutSchedule = '10 * * * *'

/** Every hour small files are packed and expired ones deleted. */
const maintenanceSchedule = '30 * * * *'

/**
 * Starts everything that happens by itself: stream rules, the pipeline every commit interval, the
 * monitors of silence and deadlines every minute, training and maintenance on their schedules.
 */
export async function startOperation(
  deployment: Deployment,
  options: OperationOptions,
): Promise<Operation> {
  const { state, fleet, log, lake, clock } = deployment
  const stages = createStageClock(clock, options.stopwatch)
  const listeningSinceMs = clock()
  const inTurn = createTurns()
  const abort = new AbortController()
  const streamRules = await runStreamRules({ log, fleet, state, clock, signal: abort.signal })
  const logWatch = watchLog(deployment.folder.logDirectory, {
    clock,
    commitSeconds: options.commitSeconds ?? 300,
  })
  logWatch.sample()
  const features = await openFeatureCare(deployment)
  const report = (what: string) => (error: unknown) => options.onFailure?.(what, error)
  await inTurn(() => finishLastRun(deployment, { isFiring: streamRules.isFiring }))
  // A release that brought new columns has its day in the log of schema changes.
  await inTurn(() => schemaChangeJob({ lake, nowMs: clock() })).catch(report('schema changes'))

  const run: Operation['run'] = (pipelineOptions = {}) =>
    inTurn(async () => {
      const outcome = await runPipeline(deployment, stages, {
        isFiring: streamRules.isFiring,
        ...pipelineOptions,
      })
      options.onRun?.(outcome)
      await stages
        .timed('quality', () => judgeTables(deployment, judgedTables))
        .catch(report('quality'))
      // What is served lags until the next run when this fails; the pipeline itself goes on.
      await stages.timed('feature store', features.look).catch(report('feature store'))
      return outcome
    })
  const train: Operation['train'] = (untilMs) =>
    inTurn(() =>
      stages.timed('train', () => trainDeployment(deployment, { untilMs, setBy: 'schedule' })),
    )

  let isRunning = false
  const tick = async () => {
    if (isRunning) return
    isRunning = true
    try {
      await run()
    } finally {
      isRunning = false
    }
  }
  const commitTimer = setInterval(
    () => void tick().catch(report('pipeline')),
    (options.commitSeconds ?? 300) * 1000,
  )
  const monitorTimer = setInterval(
    () =>
      void stages
        .timed('monitor', async () => {
          await runOfflineRule({ state, fleet, nowMs: clock(), listeningSinceMs })
          await runSlaMonitor(state, clock())
          await state.messages.expire()
          logWatch.sample()
        })
        .catch(report('monitor')),
    minuteMs,
  )
  const maintain = () =>
    inTurn(() =>
      stages.timed('maintain', async () => {
        for (const name of lake.tableNames) {
          await lake.withConnection((connection) => lake.table(name).maintain(connection, clock()))
        }
        await log.expire(clock())
      }),
    )
  const cron = { timezone: 'UTC' } as const
  const schedules = [
    new Cron(options.trainingSchedule ?? '0 2 * * 0', cron, () =>
      train(clock()).then(() => undefined, report('training')),
    ),
    new Cron(nightlySchedule, cron, () =>
      inTurn(() => stages.timed('feature proof', features.nightly)).then(
        () => undefined,
        report('feature proof'),
      ),
    ),
    new Cron(gradingSchedule, cron, () =>
      inTurn(() => stages.timed('sensors', () => openQuality(deployment).grade())).then(
        () => undefined,
        report('sensors'),
      ),
    ),
    new Cron(coverageSchedule, cron, () =>
      inTurn(() => schemaChangeJob({ lake, nowMs: clock() }, { withCoverage: true })).then(
        () => undefined,
        report('schema changes'),
      ),
    ),
    new Cron(dropoutSchedule, cron, () =>
      inTurn(() => stages.timed('dropouts', () => openQuality(deployment).dropouts())).then(
        () => undefined,
        report('dropouts'),
      ),
    ),
    ...(['hour', 'day'] as const).map(
      (granularity) =>
        new Cron(distributionSchedules[granularity], cron, () =>
          inTurn(() =>
            stages.timed('distribution', () => openQuality(deployment).distribution(granularity)),
          ).then(() => undefined, report('distribution')),
        ),
    ),
    new Cron(maintenanceSchedule, cron, () => maintain().catch(report('maintenance'))),
  ]
  const stopped = streamRules.done.catch((error: unknown) => {
    if (!abort.signal.aborted) report('stream rules')(error)
  })

  return {
    run,
    train,
    health: stages.health,
    streamRules,
    logWatch,
    features,
    close: async () => {
      clearInterval(commitTimer)
      clearInterval(monitorTimer)
      for (const schedule of schedules) schedule.stop()
      abort.abort(new IsothermError('CONFLICT', 'the service is stopping'))
      await stopped
      await inTurn(async () => undefined)
    },
  }
}
