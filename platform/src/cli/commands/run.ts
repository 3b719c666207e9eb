import { type Command, Option } from 'commander'
import { IsothermError } from '../../contracts/index.ts'
import { createStageClock, runPipeline, type StageName, stageNames } from '../../runtime/index.ts'
import { instantOf, threadsOf } from '../option-values.ts'
import { type CommonOptions, command, withDeployment } from '../program.ts'

type RunOptions = CommonOptions & { readonly until?: string; readonly threads?: string }

/** `isotherm run <stage>`: one stage, or all, now. */
export function addRun(program: Command): void {
  command<RunOptions>(
    program,
    'run <stage>',
    `run ${stageNames.join(', ')} or all of them once`,
    [
      new Option('--until <instant>', 'all readings before it have arrived: close their windows'),
      new Option('--threads <number>', 'threads of SQL engine and scoring'),
    ],
    async (options, output, [stage = '']) => {
      const isStage = (name: string): name is StageName =>
        (stageNames as readonly string[]).includes(name)
      if (stage !== 'all' && !isStage(stage)) {
        throw new IsothermError(
          'INPUT_INVALID',
          `there is no stage ${stage}; type one of ${stageNames.join(', ')}, all`,
        )
      }
      const stages: readonly StageName[] =
        stage === 'all' ? stageNames : isStage(stage) ? [stage] : []
      const wanted = stage === 'alerts' ? (['score', 'alerts'] as const) : stages
      const { until, threads } = options
      const common = {
        data: options.data,
        ...(options.fleet !== undefined && { fleet: options.fleet }),
        ...threadsOf(threads),
      }
      await withDeployment(common, async (deployment) => {
        const clock = createStageClock(deployment.clock, () => performance.now())
        const outcome = await runPipeline(deployment, clock, {
          stages: wanted,
          ...(until !== undefined && { finishUntilMs: instantOf(until, 'until') }),
          onProgress: (label, done, total) =>
            output.progress(`${label} ${done}${total === undefined ? '' : ` of ${total}`}`),
        })
        const seconds = new Map(
          clock.health().map(({ stage: name, lastSeconds }) => [name, lastSeconds]),
        )
        const { landing, clean, features, scoring, alerts, copy } = outcome
        const lines = [
          { stage: 'land', rows: landing?.rowCount, aside: landing?.deadLetterCount },
          { stage: 'clean', rows: clean?.rowCount, aside: clean?.quarantinedCount },
          { stage: 'features', rows: features?.emittedCount, aside: features?.lateCount },
          { stage: 'score', rows: scoring?.eligible.size, aside: scoring?.exclusions.length },
          { stage: 'alerts', rows: alerts?.createdCount, aside: alerts?.suppressedCount },
          { stage: 'copy', rows: copy?.alertCount, aside: copy?.labelCount },
        ]
        output.records(
          lines
            .filter(({ rows }) => rows !== undefined)
            .map((line) => ({ ...line, seconds: seconds.get(line.stage) ?? null })),
        )
      })
    },
  )
}
