import { type Command, Option } from 'commander'
import { type AcceptanceReport, acceptanceReport } from '../../feature-store/index.ts'
import { countOf, instantOf } from '../option-values.ts'
import { type CommonOptions, command, withDeployment } from '../program.ts'

type AcceptOptions = CommonOptions & {
  readonly minutes: string
  readonly from: string
  readonly cut: string
  readonly until: string
  readonly gapDays: string
  readonly seed: string
}

const share = (value: number) => `${(100 * value).toFixed(1)} %`

const answer = (passes: boolean | null) => (passes === null ? 'undecided' : passes ? 'yes' : 'no')

/** One line per criterion of FEA-71 to FEA-74, with the figures that decided. */
function criteria({ predictive, available, fast, general }: AcceptanceReport) {
  const cohorts = general.cohorts.filter(({ gain }) => gain > 0).length
  return [
    {
      criterion: 'predictive',
      passes: answer(predictive.passes),
      because: `shuffled: rank correlation ${predictive.spearman.toFixed(4)}, ${share(predictive.replacedShare)} of the top replaced`,
    },
    {
      criterion: 'available',
      passes: answer(available.passes),
      because: `${available.differingCount} of ${available.checkedCount} states differ when computed again`,
    },
    {
      criterion: 'fast',
      passes: answer(fast?.passes ?? null),
      because:
        fast === null
          ? 'there is no window to measure'
          : `${fast.secondsAt100000.toFixed(1)} s for 100,000 devices`,
    },
    {
      criterion: 'general',
      passes: answer(general.passes),
      because:
        general.gain === null
          ? 'no confirmed failure or anomaly in the validation windows'
          : `gain ${general.gain.toFixed(4)}, positive in ${cohorts} of ${general.cohorts.length} cohorts`,
    },
  ]
}

/** `isotherm features accept`: may a feature be model input? */
export function addFeatureAcceptance(features: Command): void {
  command<AcceptOptions>(
    features,
    'accept <name>',
    'report whether a feature is predictive, available, fast and general (FEA-71 to FEA-74)',
    [
      new Option('--from <instant>', 'training windows start from here').makeOptionMandatory(),
      new Option('--cut <instant>', 'training windows end by then').makeOptionMandatory(),
      new Option('--until <instant>', 'validation windows end by then').makeOptionMandatory(),
      new Option('--gap-days <days>', 'days between training and validation').default('7'),
      new Option('--minutes <length>', 'window length').default('60'),
      new Option('--seed <number>', 'of forest and shuffles').default('42'),
    ],
    async (options, output, [feature = '']) => {
      const request = {
        feature,
        durationMinutes: countOf(options.minutes, 'minutes', 1),
        fromMs: instantOf(options.from, 'from'),
        cutMs: instantOf(options.cut, 'cut'),
        untilMs: instantOf(options.until, 'until'),
        gapDays: countOf(options.gapDays, 'gap-days', 0),
        seed: countOf(options.seed, 'seed', 0),
      }
      await withDeployment(options, async ({ lake, state, clock }) => {
        const report = await acceptanceReport(
          { lake, nowMs: clock() },
          {
            ...request,
            devices: state.registry.devices(),
            stopwatch: () => performance.now(),
          },
        )
        output.records(output.isJson ? [report] : criteria(report))
        output.line(
          `${report.verdict}: ${feature} of ${report.snapshotId}, ${report.trainingRowCount} ` +
            `training and ${report.validationRowCount} validation rows`,
        )
        if (report.verdict === 'rejected') process.exitCode = 1
      })
    },
  )
}
