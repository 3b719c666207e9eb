import { type Command, Option } from 'commander'
import { replayPipeline } from '../../runtime/index.ts'
import { loadFleet } from '../fleet-source.ts'
import { instantOf, numberOf, threadsOf } from '../option-values.ts'
import { type CommonOptions, command, fleetName, requireDataFolder } from '../program.ts'

type ReplayOptions = CommonOptions & {
  readonly from?: string
  readonly until: string
  readonly step: string
  readonly threads?: string
}

/** `isotherm replay`: scores and alerts of the past, hour by hour, as they would have been. */
export function addReplay(program: Command): void {
  command<ReplayOptions>(
    program,
    'replay',
    'score imported history step by step and raise the alerts it would have raised',
    [
      new Option('--from <instant>', 'first step; default: the first feature window'),
      new Option('--until <instant>', 'last step').makeOptionMandatory(),
      new Option('--step <minutes>', 'minutes between scoring runs').default('60'),
      new Option('--threads <number>', 'default: all cores; the scores are the same'),
    ],
    async (options, output) => {
      requireDataFolder(options.data)
      const { threads: threadCount } = threadsOf(options.threads)
      const outcome = await replayPipeline({
        fleet: await loadFleet(fleetName(options)),
        dataDirectory: options.data,
        untilMs: instantOf(options.until, 'until'),
        stepMs: numberOf(options.step, 'step', 1) * 60_000,
        ...(options.from !== undefined && { fromMs: instantOf(options.from, 'from') }),
        ...(threadCount !== undefined && { threadCount }),
        onProgress: (done, total) => output.progress(`replaying: step ${done} of ${total}`),
      })
      output.records([
        {
          steps: outcome.stepCount,
          scored_windows: outcome.scoredCount,
          alerts: outcome.alertCount,
          suppressed: outcome.suppressedCount,
        },
      ])
      output.line('see them with: isotherm alerts list --all')
    },
  )
}
