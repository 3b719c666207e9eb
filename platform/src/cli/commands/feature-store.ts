import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { selectFeatures } from '../../contracts/index.ts'
import {
  assembleTrainingSet,
  backfillHistory,
  historyHash,
  planBackfill,
} from '../../feature-store/index.ts'
import { countOf, instantOf } from '../option-values.ts'
import { type CommonOptions, command, withDeployment } from '../program.ts'

type BackfillOptions = CommonOptions & {
  readonly from: string
  readonly to: string
  readonly retentionDays?: string
  readonly hash?: boolean
}

type AssembleOptions = CommonOptions & {
  readonly minutes: string
  readonly from: string
  readonly until: string
  readonly asOf?: string
  readonly bufferHours: string
  readonly select: string
  readonly historyVersion?: string
  readonly labelVersion?: string
}

function addBackfill(features: Command): void {
  command<BackfillOptions>(
    features,
    'backfill',
    'fill the history of features day by day; interrupted, it goes on where it stopped',
    [
      new Option('--from <date>', 'first UTC day').makeOptionMandatory(),
      new Option('--to <date>', 'first UTC day that is left out').makeOptionMandatory(),
      new Option('--retention-days <days>', 'days for which this folder keeps readings (90)'),
      new Option('--hash', 'print the hash of all history: equal for equal content'),
    ],
    async (options, output) => {
      const range = {
        fromMs: instantOf(options.from, 'from'),
        toMs: instantOf(options.to, 'to'),
        ...(options.retentionDays !== undefined && {
          retentionDays: countOf(options.retentionDays, 'retention-days', 1),
        }),
      }
      await withDeployment(options, async ({ lake, state, clock }) => {
        const onProgress = (label: string, done: number, total?: number) =>
          output.progress(`${label} ${done} of ${total ?? '?'}`)
        const context = { lake, nowMs: clock(), onProgress }
        const request = { ...range, devices: state.registry.devices() }
        const plan = await planBackfill(context, request)
        output.line(
          `${plan.dueDays.length} of ${plan.dayCount} days to fill from ${plan.readingCount} ` +
            `readings: about ${plan.expectedRowCount} rows, ${Math.ceil(plan.expectedBytes / 1e6)} MB`,
        )
        const outcome = await backfillHistory(context, request)
        output.records([
          {
            feature_version: outcome.featureVersion,
            history_version: outcome.historyVersion,
            filled_days: outcome.filledDays.length,
            done_before: outcome.doneDayCount,
            rows: outcome.rowCount,
            days_without_readings: outcome.emptyDays.join(' ') || null,
            ...(options.hash === true && { sha256: (await historyHash(lake)).sha256 }),
          },
        ])
      })
    },
  )
}

function selectionOf(text: string): Parameters<typeof selectFeatures>[1] {
  return text === 'all' || text === 'means_and_stds' ? text : text.split(',')
}

function addAssemble(features: Command): void {
  command<AssembleOptions>(
    features,
    'assemble',
    'write a training set (contract 3.5) as it was known before its labels',
    [
      new Option('--minutes <length>', 'window length').default('60'),
      new Option('--from <instant>', 'windows start from here').makeOptionMandatory(),
      new Option('--until <instant>', 'windows end by then').makeOptionMandatory(),
      new Option('--as-of <instant>', 'what arrived and was labelled by then counts (now)'),
      new Option('--buffer-hours <hours>', 'hours before an event that are left out').default('24'),
      new Option('--select <names>', 'all, means_and_stds, or names with commas').default('all'),
      new Option('--history-version <version>', 'version of feature_history (newest)'),
      new Option('--label-version <version>', 'version of label_events (newest)'),
    ],
    async (options, output) => {
      const { asOf, historyVersion, labelVersion } = options
      const request = {
        durationMinutes: countOf(options.minutes, 'minutes', 1),
        fromMs: instantOf(options.from, 'from'),
        cutMs: instantOf(options.until, 'until'),
        bufferHours: countOf(options.bufferHours, 'buffer-hours', 0),
        ...(asOf !== undefined && { asOfMs: instantOf(asOf, 'as-of') }),
        ...(historyVersion !== undefined && {
          historyVersion: countOf(historyVersion, 'history-version', 0),
        }),
        ...(labelVersion !== undefined && {
          labelVersion: countOf(labelVersion, 'label-version', 0),
        }),
      }
      await withDeployment(options, async ({ lake, folder, fleet, clock }) => {
        const set = await assembleTrainingSet(
          { lake, nowMs: clock() },
          {
            ...request,
            featureNames: selectFeatures(fleet, selectionOf(options.select)),
            directory: join(folder.directory, 'training-sets'),
          },
        )
        output.records([
          {
            file: set.path,
            rows: set.rowCount,
            labels: set.labels,
            left_out: set.excluded,
            features: set.snapshotId,
            label_events: set.labelSnapshotId,
          },
        ])
      })
    },
  )
}

/** The group `isotherm features`, shared by the commands of definitions and of the store. */
function featuresGroup(program: Command): Command {
  const found = program.commands.find((known) => known.name() === 'features')
  return found ?? program.command('features').description('definitions, history and proofs')
}

/** `isotherm features backfill|assemble`: the feature store. */
export function addFeatureStore(program: Command): void {
  const features = featuresGroup(program)
  addBackfill(features)
  addAssemble(features)
}
