import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { IsothermError, selectFeatures } from '../../contracts/index.ts'
import {
  assembleTrainingSet,
  backfillHistory,
  historyHash,
  openOnlineFeatures,
  planBackfill,
  proveOnline,
  storeVerdict,
} from '../../feature-store/index.ts'
import { countOf, instantOf } from '../option-values.ts'
import { type CommonOptions, command, withDeployment } from '../program.ts'
import { withReadOnlyLake } from '../read-only-lake.ts'
import { addFeatureAcceptance } from './feature-acceptance.ts'
import { addFeatureCatalogue } from './feature-catalogue.ts'
import { addFeatureWindows } from './feature-windows.ts'

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
          },
        ])
        if (options.hash === true) output.line(`sha256 ${(await historyHash(lake)).sha256}`)
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
            sha256: set.sha256.slice(0, 12),
            ...(output.isJson && { file: set.path }),
            rows: set.rowCount,
            labels: set.labels,
            left_out: set.excluded,
            features: set.snapshotId,
            label_events: set.labelSnapshotId,
          },
        ])
        output.line(set.path)
      })
    },
  )
}

type VerifyOptions = CommonOptions & { readonly count: string; readonly seed?: string }

function addVerify(features: Command): void {
  command<VerifyOptions>(
    features,
    'verify',
    'compute random served rows again from their readings, bit for bit, and keep the verdict',
    [
      new Option('--count <rows>', 'rows to compute again').default('1000'),
      new Option('--seed <number>', 'chooses the rows (the time)'),
    ],
    async (options, output) => {
      const count = countOf(options.count, 'count', 1)
      const seed = options.seed === undefined ? undefined : countOf(options.seed, 'seed', 0)
      await withDeployment(options, async ({ lake, state, clock }) => {
        const nowMs = clock()
        const onProgress = (label: string, done: number, total?: number) =>
          output.progress(`${label} ${done} of ${total ?? '?'}`)
        const online = openOnlineFeatures(lake)
        await online.refresh(nowMs)
        const verdict = await proveOnline({ lake, nowMs, onProgress }, online, {
          devices: state.registry.devices(),
          count,
          seed: seed ?? nowMs,
        })
        await storeVerdict(lake, verdict)
        output.records([
          {
            checked: verdict.checkedCount,
            differ: verdict.differingCount,
            of_other_definitions: verdict.otherVersionCount,
            feature_version: verdict.featureVersion,
            served: `device_features@v${verdict.servedVersion}`,
            differences: verdict.differences.length === 0 ? null : verdict.differences,
          },
        ])
        if (verdict.differingCount > 0) process.exitCode = 1
      })
    },
  )
}

function addOnline(features: Command): void {
  command<CommonOptions>(
    features,
    'online <device>',
    'newest features of a device per duration, and the means of its last 24 hours',
    [],
    async (options, output, [deviceId = '']) => {
      await withReadOnlyLake(options, async (lake) => {
        const online = openOnlineFeatures(lake)
        await online.refresh(Date.now())
        const record = online.lookup(deviceId)
        if (record === undefined) {
          throw new IsothermError(
            'NOT_FOUND',
            `${deviceId} has no feature row in the newest days; isotherm devices list names devices`,
          )
        }
        const { rows, day } = record
        output.records([
          ...online.columns.map((feature, index) => ({
            feature,
            ...Object.fromEntries(
              rows.map((row) => [`${row.durationMinutes} min`, row.values[index] ?? null]),
            ),
            '24 h': day?.means[online.dayColumns.indexOf(feature)] ?? null,
          })),
        ])
        for (const row of rows) {
          const end = new Date(row.windowEndMs).toISOString()
          output.line(`${row.durationMinutes} min: window to ${end}, ${row.operatingMode ?? '-'}`)
        }
      })
    },
  )
}

/** The group `isotherm features`, shared by the commands of definitions and of the store. */
function featuresGroup(program: Command): Command {
  const found = program.commands.find((known) => known.name() === 'features')
  return found ?? program.command('features').description('definitions, history and proofs')
}

/** `isotherm features backfill|assemble|verify|online|windows|sessions|accept`: the feature store. */
export function addFeatureStore(program: Command): void {
  const features = featuresGroup(program)
  addFeatureCatalogue(features)
  addBackfill(features)
  addAssemble(features)
  addVerify(features)
  addOnline(features)
  addFeatureWindows(features)
  addFeatureAcceptance(features)
}
